//! A server that answers anything: nothing that it was sent is shown, and nothing is believed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use imts::Store;
use imts::store::redis::{RedisStore, RedisValue};
use imts::swap::Stamp;

use super::{FIRST, failed, look};
use crate::conformance::state;

#[test]
fn an_error_that_quotes_the_state_is_not_shown() {
    let store = RedisStore::over(|parts: &[&[u8]]| {
        let quoted = String::from_utf8_lossy(parts.last().unwrap()).into_owned();
        Ok(RedisValue::Error(format!("ERR wrong argument '{quoted}'")))
    });
    let secret = state(FIRST, "canary-access", "canary-refresh");
    let error = store.swap(&look().putting(Stamp::NONE, secret)).unwrap_err();
    let texts = format!("{error} {error:?}");
    assert!(texts.contains("ERR") && !texts.contains("canary"), "{texts}");
}

#[test]
fn answers_in_another_form_are_refused() {
    let text = |text: &str| RedisValue::bytes(text);
    let list = |items: &[&str]| RedisValue::Array(items.iter().map(|it| text(it)).collect());
    for value in [
        RedisValue::Nil,
        RedisValue::Integer(1),
        text("imts"),
        list(&[]),
        list(&["imts"]),
        list(&["imts", "1"]),
        list(&["imts", "1", "perhaps"]),
        list(&["imts", "1", "done"]),
        list(&["imts", "1", "done", "yes", "0"]),
        list(&["imts", "1", "other", "1", "5", "1", "-3", "0", "0", "0", "0", ""]),
        list(&["redis", "1", "done", "0", "0"]),
    ] {
        let answer = value.clone();
        let store = RedisStore::over(move |_: &[&[u8]]| Ok(answer.clone()));
        assert_eq!(failed(store.swap(&look())).0, "unreachable", "{value:?}");
    }
}

/// Answers each connection with these bytes, and keeps it open until the other end closes it.
fn server(bytes: Vec<u8>) -> RedisStore {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4_096]));
            drop(stream.write_all(&bytes));
            while stream.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {}
        }
    });
    RedisStore::new(format!("redis://127.0.0.1:{port}").parse().unwrap())
}

#[test]
fn a_server_of_another_protocol_or_without_bounds_is_named() {
    for (bytes, named) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "not in Redis' protocol"),
        (b"*1000000000\r\n".to_vec(), "too large"),
        (b"$1000000000\r\n".to_vec(), "too large"),
        ([b"+".to_vec(), vec![b'x'; 300_000]].concat(), "too large"),
        (b"*1\r\n".repeat(1_000), "too large"),
        // A second reply answers nothing that was asked.
        (b"$2\r\nOK\r\n$2\r\nOK\r\n".to_vec(), "not in Redis' protocol"),
    ] {
        let (kind, text) = failed(server(bytes).swap(&look()));
        assert_eq!(kind, "unreachable");
        assert!(text.contains(named), "{text}");
    }
}
