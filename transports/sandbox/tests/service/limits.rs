//! What a request may be at most: each limit lets its last one in, and no more.

use imts_sandbox::{Front, Sandbox};

use crate::front::exchange;

const MAX_BODY: usize = 1_048_576;

/// The status of the answer to a request with these fields and this body.
fn status(fields: &str, body: &[u8]) -> String {
    let front = Front::start(Sandbox::default()).unwrap();
    let head = format!("POST /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}\r\n");
    let answer = exchange(&front, &[head.as_bytes(), body].concat()).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

fn with_length(length: usize) -> String {
    status(&format!("content-length: {length}\r\n"), &vec![b'x'; length])
}

/// The body in chunks of this length.
fn in_chunks(length: usize, chunk: usize) -> String {
    let body = vec![b'x'; length];
    let chunks = body.chunks(chunk);
    let mut chunked: Vec<u8> = chunks
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    chunked.extend_from_slice(b"0\r\n\r\n");
    status("transfer-encoding: chunked\r\n", &chunked)
}

#[test]
fn a_body_is_a_mebibyte_at_most_however_it_is_cut() {
    assert_eq!((with_length(MAX_BODY), with_length(MAX_BODY + 1)), ("404".into(), "413".into()));
    for chunk in [MAX_BODY / 2, 100_000, 8_192] {
        assert_eq!(in_chunks(MAX_BODY, chunk), "404", "chunks of {chunk}");
        assert_eq!(in_chunks(MAX_BODY + 1, chunk), "413", "chunks of {chunk}");
    }
}

#[test]
fn a_head_has_at_most_100_fields() {
    // Beside `host` and `connection`.
    let fields = |count: usize| "x: y\r\n".repeat(count - 2);
    assert_eq!(
        (status(&fields(100), b""), status(&fields(101), b"")),
        ("404".into(), "431".into())
    );
}

#[test]
fn a_head_that_is_not_whole_in_32_kib_and_one_more_read_is_refused() {
    let field = |length: usize| format!("x: {}\r\n", "y".repeat(length));
    assert_eq!(status(&field(32_000), b""), "404");
    assert_eq!(status(&field(32_768 + 8_192), b""), "431");
}
