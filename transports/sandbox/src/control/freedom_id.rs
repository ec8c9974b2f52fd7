//! Freedom ID's part of the control interface.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::LOCATION;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Outcome, parse};
use crate::freedom_id::{Client, ErrorStatus, FreedomIdSettings, IdTokens, TokenIds};
use crate::rotation::Rotation;
use crate::sandbox::Sandbox;
use crate::target::Target;
use crate::time::Time;
use crate::urlencoded;

/// The settings of Freedom ID that a request may change. A missing field leaves its setting as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    #[serde(default)]
    clients: BTreeMap<String, Option<ClientChange>>,
    link_lifetime_s: Option<u32>,
    code_lifetime_s: Option<u32>,
    access_lifetime_s: Option<u32>,
    refresh_lifetime_s: Option<u32>,
    rotation: Option<Rotation>,
    token_ids: Option<TokenIds>,
    error_status: Option<ErrorStatus>,
    profile_pending_s: Option<u32>,
    oidc_token_path: Option<String>,
    id_tokens: Option<IdTokens>,
    /// `null` takes the path away.
    #[serde(default, deserialize_with = "present")]
    user_info_path: Option<Option<String>>,
}

/// What changes for a client. `null` in place of this object removes the client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientChange {
    secret: Option<String>,
    redirect_uris: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    revoke_uri: Option<Option<String>>,
}

impl Change {
    /// Returns the settings after the change, or what is wrong with it.
    pub(super) fn apply(self, known: &FreedomIdSettings) -> Result<FreedomIdSettings, String> {
        let mut settings = known.clone();
        for (id, change) in self.clients {
            let at = |message: &str| format!("freedom_id.clients.{id}: {message}");
            let Some(change) = change else {
                settings.clients.remove(&id);
                continue;
            };
            let known = settings.clients.remove(&id);
            let mut client = match (known, &change.secret) {
                (Some(client), _) => client,
                (None, Some(secret)) => Client::new(secret.as_str()),
                (None, None) => return Err(at("it is new: give a secret")),
            };
            set(&mut client.secret, change.secret);
            set(&mut client.redirect_uris, change.redirect_uris);
            set(&mut client.revoke_uri, change.revoke_uri);
            if let Some(uri) = &client.revoke_uri {
                Target::new(uri).map_err(|error| at(&format!("revoke_uri: {error}")))?;
            }
            settings.clients.insert(id, client);
        }
        let paths = [self.oidc_token_path.as_ref(), self.user_info_path.iter().flatten().next()];
        for path in paths.into_iter().flatten() {
            crate::service_file::check_path(path)?;
        }
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        set(&mut settings.link_lifetime, self.link_lifetime_s.map(seconds));
        set(&mut settings.code_lifetime, self.code_lifetime_s.map(seconds));
        set(&mut settings.access_lifetime, self.access_lifetime_s.map(seconds));
        set(&mut settings.refresh_lifetime, self.refresh_lifetime_s.map(seconds));
        set(&mut settings.profile_pending, self.profile_pending_s.map(seconds));
        set(&mut settings.rotation, self.rotation);
        set(&mut settings.token_ids, self.token_ids);
        set(&mut settings.error_status, self.error_status);
        set(&mut settings.id_tokens, self.id_tokens);
        set(&mut settings.oidc_token_path, self.oidc_token_path);
        set(&mut settings.user_info_path, self.user_info_path);
        Ok(settings)
    }
}

/// Returns what Freedom ID did, its clients without their secrets, and its users.
pub(super) fn identity(sandbox: &mut Sandbox, now: Time) -> Value {
    let counters = sandbox.freedom_id_counters();
    let (service, context) = sandbox.freedom_id(now, now);
    let users = service.shown(&context);
    let clients = context.settings.clients.iter().map(|(id, client)| {
        let Client { redirect_uris, revoke_uri, .. } = client;
        json!({ "id": id, "redirect_uris": redirect_uris, "revoke_uri": revoke_uri })
    });
    json!({ "counters": counters, "clients": clients.collect::<Vec<_>>(), "users": users })
}

/// What a user does on the login page behind a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    link: String,
    user: Option<String>,
    #[serde(default)]
    refuse: bool,
}

/// Acts as the user on the login page. Returns where the browser is sent.
pub(super) fn sign_in(sandbox: &mut Sandbox, now: Time, body: &[u8]) -> Outcome {
    let SignIn { link, user, refuse } = parse(body)?;
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let fields = urlencoded::read(query).unwrap_or_default();
    let track = urlencoded::one(&fields, "track_id").unwrap_or_default();
    let (service, context) = sandbox.freedom_id(now, now);
    let user = service.person(&context, user.as_deref()).unwrap_or_default();
    let choice = if refuse { ("refuse", "1") } else { ("user", user.as_str()) };
    let form = [("track_id", track), choice];
    let form: Vec<_> = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut request = Request::new(urlencoded::write(&form).into_bytes());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/login");
    let response = sandbox.serve(now, &request);
    let location = response.headers().get(LOCATION).and_then(|url| url.to_str().ok());
    let gone = || (StatusCode::CONFLICT, "the link does not work".to_owned());
    Ok(json!({ "redirect_to": location.ok_or_else(gone)? }))
}

/// Whose sessions end, and how often each revocation is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignOut {
    user: Option<String>,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

/// Ends a user's sessions, as if the user signed out of the account.
pub(super) fn sign_out(sandbox: &mut Sandbox, now: Time, body: &[u8]) -> Outcome {
    let SignOut { user, times } = parse(body)?;
    let server_now = sandbox.server_time(now);
    let (service, mut context) = sandbox.freedom_id(now, server_now);
    let user = service.person(&context, user.as_deref());
    let user = user.ok_or_else(|| (StatusCode::NOT_FOUND, "no such user".to_owned()))?;
    let ended = service.sign_out(&mut context, &user, times);
    Ok(json!({ "ended": ended }))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Distinguishes `null` from a missing field.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
