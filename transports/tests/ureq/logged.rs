//! What is told to `log`, at its most talkative: no secret and no token.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use imts::{Transport, UreqTransport};

use crate::ear;
use crate::{BOUNDS, ureq};

/// All that is logged of one exchange; bytes are logged in rows, which are put together here.
fn told(transport: &UreqTransport, reply: &'static str) -> (String, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut heard, mut buffer) = (String::new(), [0; 4_096]);
        while !heard.contains("agent-secret") {
            let read = stream.read(&mut buffer).unwrap();
            heard.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
        stream.write_all(reply.as_bytes()).unwrap();
    });
    let body = imts::secret::Body::from(br#"{"secret":"agent-secret"}"#.to_vec());
    let request = http::Request::post(url).body(body).unwrap();
    let (reply, told) = ear::listen(|| transport.send(request, BOUNDS).unwrap());
    service.join().unwrap();
    // `0123 4567 … 89ab  text`
    let rows = told.iter().filter_map(|line| line.get(..40));
    let bytes = rows.flat_map(|row| row.split(' ')).collect::<String>();
    (told.join("\n") + "\n" + &bytes, reply.into_body())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

const LENGTH: &str =
    "HTTP/1.1 200 OK\r\nx-seen: yes\r\ncontent-length: 26\r\n\r\n{\"token\":\"canary-canary\"} ";
const CLOSE: &str = "HTTP/1.1 200 OK\r\nx-seen: yes\r\n\r\n{\"token\":\"canary-canary\"} ";
const CHUNKS: &str = "HTTP/1.1 200 OK\r\nx-seen: yes\r\ntransfer-encoding: chunked\r\n\r\n\
                      c\r\n{\"token\":\"ca\r\ne\r\nnary-canary\"} \r\n0\r\n\r\n";

#[test]
fn neither_a_request_nor_a_reply_is_logged() {
    for reply in [LENGTH, CLOSE, CHUNKS] {
        let (told, body) = told(&ureq(), reply);
        assert_eq!(body, b"{\"token\":\"canary-canary\"} ");
        assert!(told.contains(&hex("x-seen: yes")), "heads are logged: {told}");
        for secret in ["agent-secret", "canary", "cana", "nary"] {
            assert!(!told.contains(secret) && !told.contains(&hex(secret)), "{secret}: {told}");
        }
    }
}

#[test]
fn an_agent_of_the_callers_own_does_log_replies() {
    let own = UreqTransport::over(ureq::Agent::config_builder().proxy(None).build().new_agent());
    let (told, _) = told(&own, LENGTH);
    assert!(told.contains(&hex("canary-canary")), "the test above would see it: {told}");
}
