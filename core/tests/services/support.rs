//! The vendor's sign-in service, as far as its pages print it, and one session with it.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use imts_core::error::Malformed;
use imts_core::exchange::Purpose;
use imts_core::secret::Body;
use imts_core::service::{Envelope, ErrorForm, Format, Object, RefusalFields, Success};
use imts_core::time::{Mono, Wall};
use imts_core::{
    Catalogue, Credentials, Endpoint, Keep, Now, Policy, Reply, Service, Session, Step, Ticket,
    services,
};
use serde::Deserialize;

/// 2025-02-25T06:35:50Z.
pub(crate) const START: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_740_465_350_000_000) };
pub(crate) const ID: &str = "client-1";
pub(crate) const SECRET: &str = "client-secret";
/// `client-1:client-secret` in base 64, as an independent encoder writes it.
pub(crate) const BASIC: &str = "Y2xpZW50LTE6Y2xpZW50LXNlY3JldA==";

/// A bare reply. An error is an object of its own, under a 200 as well.
pub(crate) static FORMAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: None,
        codes: &["code"],
        messages: &["message"],
        texts: &["errors"],
        content: None,
        objects: &[&["error"]],
        errors: &[ErrorForm::Describes { field: "error", with: &["message", "code", "errors"] }],
    },
};

fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let payload = std::str::from_utf8(success.body()).map_err(|_| Malformed::Encoding)?;
    let is_refusal = refuses(success.body());
    Ok(Envelope { is_refusal, payload: Some(payload), field: "body" })
}

fn refuses(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Failed {
        #[serde(rename = "error")]
        _error: Object<serde_json::Value>,
    }
    serde_json::from_slice::<Object<Failed>>(body).is_ok()
}

/// A service without tokens that replies in the same form.
pub(crate) fn open() -> Service {
    Service::new(&FORMAT, Catalogue::new())
}

pub(crate) fn endpoint() -> Endpoint {
    Endpoint::https("https://passport.example").unwrap()
}

/// One session, its clock, and the request that it sent last.
pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) now: Now,
    pub(crate) sent: Option<Request<Body>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut policy = Policy::default();
        policy.access_lifetime_cap = std::time::Duration::from_secs(30 * DAY);
        let session = Session::new(endpoint(), services::freedom_id(), policy).unwrap();
        Self { session, now: START, sent: None }
    }

    /// A user who has signed in, with tokens for 7 and 28 days.
    pub(crate) fn signed_in() -> Self {
        let mut world = Self::new();
        world.takes_code("code-1");
        let ticket = world.sends(Purpose::SignIn);
        world.replied(ticket, 200, &pair(1));
        world
    }

    pub(crate) fn takes_code(&mut self, code: &str) {
        let credentials = Credentials::new(ID, SECRET).unwrap().with_code(code).unwrap();
        // Kept for good if that were possible: a code is not.
        self.session.sign_in(credentials, Keep::Always, self.now);
    }

    pub(crate) fn sends(&mut self, purpose: Purpose) -> Ticket {
        match self.session.poll(self.now) {
            Step::Send(ticket, exchange) if ticket.purpose() == purpose => {
                self.sent = Some(exchange.into_request());
                ticket
            }
            other => panic!("{other:?}"),
        }
    }

    /// Whether the reply was a success.
    pub(crate) fn replied(&mut self, ticket: Ticket, status: u16, body: &str) -> bool {
        let mut response = Response::new(body.as_bytes().to_vec());
        *response.status_mut() = status.try_into().unwrap();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        self.session.on_reply(ticket, Reply::from(&response), self.now).is_ok()
    }

    /// The token that a poll yields.
    pub(crate) fn token(&mut self) -> String {
        match self.session.poll(self.now) {
            Step::Ready(bearer) => bearer.expose_token().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// Whether only a new code helps, now and however long one waits.
    pub(crate) fn needs_a_code(&mut self) -> bool {
        (0..6).all(|_| {
            let needs = matches!(self.session.poll(self.now), Step::SignIn { .. });
            self.pass(30);
            needs
        })
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.advanced_by(std::time::Duration::from_secs(seconds));
    }
}

pub(crate) const DAY: u64 = 86_400;

/// The reply of this number, 1 to 7, in the printed form. The tokens of the first one live 7 and 28
/// days from the start, those of each further one a day longer.
pub(crate) fn pair(number: u8) -> String {
    pair_of("01953bd1-a6d3-739e-8aa3-83e881f09055", number)
}

/// The same with another id.
pub(crate) fn pair_of(id: &str, number: u8) -> String {
    let (access, refresh) = (3 + number, 24 + number);
    format!(
        r#"{{"id":"{id}","access_token":"access-{number}","refresh_token":"refresh-{number}","access_expire_at":"2025-03-{access:02}T06:35:50.000000Z","refresh_expire_at":"2025-03-{refresh:02}T06:35:50.000000Z"}}"#
    )
}
