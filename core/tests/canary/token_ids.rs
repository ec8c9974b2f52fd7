//! The ids of a user's tokens, which anybody could revoke them with: no text has one.

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use imts_core::secret::TokenId;
use imts_core::services::{self, freedom_id};
use imts_core::{Credentials, Keep, Saved};

use crate::drive::{AGENT, Drive, SECRET};

/// Of two grants, one after the other, and one that nobody was given.
const IDS: [&str; 3] = [
    "01953bd1-a6d3-739e-8aa3-83e881f09055",
    "01953bd1-a6d3-739e-8bb4-94f992a1a166",
    "01953bd1-a6d3-739e-8cc5-a5aaa3b2b277",
];

/// When the tokens of a day are due, in seconds.
const ALMOST_A_DAY: u64 = 86_400 - 60;

fn pair(number: usize) -> Response<Vec<u8>> {
    let body = format!(
        r#"{{"id":"{}","access_token":"Access-{number}.CanaryV5tGbYhNu8","refresh_token":"Refresh-{number}.CanaryW6uHnZjMi9","access_expire_at":"2025-07-{}T11:17:31Z","refresh_expire_at":"2025-08-{}T11:17:31Z"}}"#,
        IDS[number],
        24 + number,
        24 + number
    );
    replied(200, body)
}

fn replied(status: u16, body: String) -> Response<Vec<u8>> {
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[test]
fn no_text_has_the_id_of_a_users_tokens_and_only_the_json_of_a_saved_state_does() {
    let mut drive = Drive::new(services::freedom_id());
    for id in IDS {
        drive.hunt.add("a token's id", id);
    }
    let credentials = Credentials::new(AGENT, SECRET).unwrap().with_code("code-1").unwrap();
    drive.session.sign_in(credentials, Keep::Once, drive.now);
    for number in 0..2 {
        drive.pass(if number == 0 { 0 } else { ALMOST_A_DAY });
        let (ticket, _) = drive.next().expect("a sign-in, and then a refresh");
        assert!(drive.receive(ticket, &pair(number)));
        assert!(drive.next().is_none(), "it is saved, and a token is in use");
    }
    let saved = drive.saved.clone().unwrap();
    assert_eq!(saved.token_id(), TokenId::new(IDS[1]).as_ref());
    let json = String::from_utf8(saved.to_json().to_vec()).unwrap();
    let found = drive.hunt.find(&json);
    assert_eq!(found, [("a token's id", "raw"); 2], "the present one and the earlier one");
    for (from, to) in
        [("\"version\":2", "\"version\":7"), ("\"ends_at_us\":17560", "\"ends_at\":17560")]
    {
        assert!(json.contains(from), "{json}");
        let error = Saved::from_json(json.replace(from, to).as_bytes()).unwrap_err();
        drive.outputs.error("a saved state changed", &error);
    }
    for id in IDS {
        let body = format!(r#"{{"id":"{id}"}}"#);
        drive.outputs.show("a revoked id", &freedom_id::revoked_id(body.as_bytes()));
        drive.outputs.show("an id", &TokenId::new(id));
    }
    // The service quotes the id in a refusal.
    drive.pass(ALMOST_A_DAY);
    let (ticket, _) = drive.next().expect("a refresh");
    let quote = format!(r#"{{"error":{{"message":"no token of {}","code":1}}}}"#, IDS[1]);
    drive.session.on_reply(ticket, (&replied(401, quote)).into(), drive.now).unwrap_err();
    drive.look();
    for id in IDS.iter().rev() {
        drive.session.revoked(&TokenId::new(id).unwrap(), drive.now);
        drive.look();
        let _ = drive.next();
    }
    crate::assert_silent(&drive);
}
