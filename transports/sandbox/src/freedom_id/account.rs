//! The user's account: a page that ends the main session, and the revocations that follow.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

use super::person::Person;
use super::{Context, FreedomId};
use crate::outbox::{Letter, MessageKind};
use crate::target::Target;
use crate::xml;

impl FreedomId {
    /// Ends every session of a user, as if the user signed out of the account. A revocation goes to
    /// each client that registered a URL, `times` times. Returns how many sessions ended.
    pub(crate) fn sign_out(
        &mut self,
        context: &mut Context<'_>,
        person: &str,
        times: u32,
    ) -> usize {
        let ended = self.tokens.end_sessions(person);
        for (client, id) in &ended {
            self.counters.revocations += 1;
            let client = context.settings.clients.get(client);
            let Some(uri) = client.and_then(|client| client.revoke_uri.as_deref()) else {
                continue;
            };
            let Ok(target) = Target::new(uri) else { continue };
            let letter = Letter {
                kind: MessageKind::Revocation,
                payment_id: None,
                request: revocation(&target, id),
                repeats: times.saturating_sub(1),
                lost_answers: 0,
                // Whether the service repeats a revocation is unknown; its results are repeated.
                is_retried: true,
            };
            context.outbox.push(context.now, letter);
        }
        ended.len()
    }

    /// Returns the users as the control interface shows them.
    pub(crate) fn shown(&self, context: &Context<'_>) -> Vec<Value> {
        let people = self.people.as_ref().unwrap_or(&context.settings.people);
        let shown = people.iter().map(|person| {
            let sessions = self.tokens.sessions(&person.id);
            json!({ "id": person.id, "name": person.shown(), "sessions": sessions })
        });
        shown.collect()
    }

    /// Returns the user whom the control interface means: this one, or the first.
    pub(crate) fn person(&self, context: &Context<'_>, id: Option<&str>) -> Option<String> {
        let people = self.people.as_ref().unwrap_or(&context.settings.people);
        let mut people = people.iter();
        let found = people.find(|person| id.is_none_or(|id| id == person.id));
        found.map(|person| person.id.clone())
    }
}

/// The request of a revocation: the id alone, with no signature and no time (published).
fn revocation(target: &Target, id: &str) -> Request<Vec<u8>> {
    let mut request = Request::new(json!({ "id": id }).to_string().into_bytes());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.uri().clone();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// The content of the account's page: each user, and a button to sign out.
pub(super) fn content(people: &[Person], sessions: impl Fn(&str) -> usize) -> String {
    let one = |person: &Person| {
        let (id, name, sessions) =
            (xml::escaped(&person.id), xml::escaped(&person.shown()), sessions(&person.id));
        let phone = xml::escaped(&person.phone);
        format!(
            "<dl>\n<dt>Name</dt><dd>{name}</dd>\n<dt>Phone</dt><dd>{phone}</dd>\n\
             <dt>Open sessions</dt><dd>{sessions}</dd>\n</dl>\n<form method=\"post\" action=\"/account\">\n\
             <button name=\"user\" value=\"{id}\">Sign out {name}</button>\n</form>\n"
        )
    };
    let people: String = people.iter().take(8).map(one).collect();
    format!(
        "<p>Signing out ends all sessions of the user. Each service that registered a URL gets \
         a message.</p>\n{people}"
    )
}
