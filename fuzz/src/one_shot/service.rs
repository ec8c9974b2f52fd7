//! The service: codes and refresh tokens that work once, and families of tokens that it revokes.

use std::collections::{BTreeMap, BTreeSet};

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use imts_core::Now;

/// How long its tokens live, in seconds.
const ACCESS: u64 = 7 * 86_400;
const REFRESH: u64 = 28 * 86_400;

#[derive(Default)]
pub(super) struct Service {
    made: u64,
    /// Codes that a user brought back, and that nobody has used.
    codes: BTreeSet<String>,
    /// Refresh tokens that nobody has used, and their families.
    refresh: BTreeMap<String, u64>,
    /// Access tokens, and their families.
    access: BTreeMap<String, u64>,
    ids: BTreeMap<String, u64>,
    revoked: BTreeSet<u64>,
}

impl Service {
    pub(super) fn code(&mut self) -> String {
        self.made += 1;
        let code = format!("code-{}", self.made);
        self.codes.insert(code.clone());
        code
    }

    pub(super) fn exchanges(&mut self, code: &str, now: Now) -> Response<Vec<u8>> {
        if !self.codes.remove(code) {
            return refusal();
        }
        self.made += 1;
        self.pair(self.made, now)
    }

    pub(super) fn refreshes(&mut self, token: &str, now: Now) -> Response<Vec<u8>> {
        match self.refresh.remove(token).filter(|family| !self.revoked.contains(family)) {
            Some(family) => self.pair(family, now),
            None => refusal(),
        }
    }

    /// Whether it takes an access token.
    pub(super) fn takes(&self, token: &str) -> bool {
        self.access.get(token).is_some_and(|family| !self.revoked.contains(family))
    }

    /// Ends all tokens of the family that this id names.
    pub(super) fn revokes(&mut self, id: &str) {
        self.revoked.extend(self.ids.get(id).copied());
    }

    pub(super) fn family_of_id(&self, id: &str) -> Option<u64> {
        self.ids.get(id).copied()
    }

    pub(super) fn family_of_access(&self, token: &str) -> Option<u64> {
        self.access.get(token).copied()
    }

    fn pair(&mut self, family: u64, now: Now) -> Response<Vec<u8>> {
        self.made += 1;
        let number = self.made;
        let [access, refresh, id] = ["a", "r", "id"].map(|kind| format!("{kind}-{number}"));
        let date = |lives| {
            let end = now.advanced_by(std::time::Duration::from_secs(lives)).wall.to_datetime();
            end.expect("a date").to_string().replacen(' ', "T", 1).replace(" UTC", "Z")
        };
        let body = format!(
            r#"{{"id":"{id}","access_token":"{access}","refresh_token":"{refresh}","access_expire_at":"{}","refresh_expire_at":"{}"}}"#,
            date(ACCESS),
            date(REFRESH)
        );
        self.access.insert(access, family);
        self.refresh.insert(refresh, family);
        self.ids.insert(id, family);
        reply(200, body)
    }
}

/// As one page labels it: under a success.
fn refusal() -> Response<Vec<u8>> {
    reply(200, r#"{"error":{"message":"Invalid.","code":100101}}"#.to_owned())
}

pub(super) fn reply(status: u16, body: String) -> Response<Vec<u8>> {
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status.try_into().expect("a status");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
