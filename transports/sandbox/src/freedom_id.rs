//! Freedom ID, the vendor's sign-in service, as the sandbox reads its pages.
//!
//! Owns what the service remembers, and which part answers which request. Opens no connection: a
//! revocation goes to the outbox.

mod account;
mod action;
mod error;
mod login;
mod mint;
mod openid;
mod person;
mod profile;
mod request;
mod settings;
mod tokens;
mod user;

use http::header::HOST;
use http::{Request, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use self::action::Action;
use self::error::{Answer, Refused};
use self::login::{Logins, link_reply, notice};
use self::mint::Mint;
pub use self::person::Person;
use self::profile::Profiles;
pub use self::settings::{
    Client, DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, ErrorStatus, FreedomIdSettings, IdTokens,
    TokenIds,
};
use self::tokens::{At, Family, Refreshed, Tokens};
use crate::finding::{Findings, Mistake};
use crate::log::Verdict;
use crate::outbox::Outbox;
use crate::page::{self, Page};
use crate::served::Evidence;
use crate::time::Time;
use crate::{reply, urlencoded};

/// Counts what Freedom ID did, and what a client must not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FreedomIdCounters {
    /// Links made, OIDC's among them.
    pub links: u64,
    /// How often a user signed in.
    pub sign_ins: u64,
    /// How often a user refused.
    pub refusals: u64,
    /// Grants given for a code.
    pub grants: u64,
    /// Grants given for a refresh token.
    pub refreshes: u64,
    /// How often a refresh token was sent again after it was used.
    pub refresh_reuse: u64,
    /// How often an authorization code was sent again after it was used.
    pub code_reuse: u64,
    /// How often an access token was used after it had expired.
    pub expired_bearers: u64,
    /// Sessions that ended because the user signed out.
    pub revocations: u64,
}

/// Everything that Freedom ID remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreedomId {
    mint: Mint,
    logins: Logins,
    tokens: Tokens,
    profiles: Profiles,
    /// The users: those of the settings from the first request on, and those that were created.
    people: Option<Vec<Person>>,
    counters: FreedomIdCounters,
}

/// What Freedom ID needs to know at each request, and where it writes.
pub(crate) struct Context<'a> {
    /// The time that the caller gave, as in the log.
    pub(crate) at: Time,
    /// The time by the service's clock.
    pub(crate) now: Time,
    pub(crate) limit: usize,
    pub(crate) settings: &'a FreedomIdSettings,
    pub(crate) findings: &'a mut Findings,
    pub(crate) outbox: &'a mut Outbox,
}

impl FreedomId {
    pub(crate) fn counters(&self) -> FreedomIdCounters {
        self.counters
    }

    /// Forgets everything. Tokens made later still differ from those made before.
    pub(crate) fn reset(&mut self) {
        *self = Self { mint: std::mem::take(&mut self.mint), ..Self::default() };
    }

    /// Answers a request.
    pub(crate) fn answer(
        &mut self,
        context: &mut Context<'_>,
        action: Action,
        request: &Request<Vec<u8>>,
    ) -> (Verdict, Response<Vec<u8>>) {
        self.people.get_or_insert_with(|| context.settings.people.clone());
        let (now, status) = (context.now, context.settings.error_status);
        match self.act(context, action, request) {
            Ok(answer) => answer,
            Err(refused) => {
                let mistake = match refused.verdict {
                    Verdict::ReusedCode => Some(Mistake::CodeReused),
                    Verdict::ReusedRefreshToken => Some(Mistake::RefreshTokenReused),
                    _ => None,
                };
                if let Some(mistake) = mistake {
                    context.findings.push(context.at, mistake, None);
                }
                (refused.verdict, refused.response(now, status))
            }
        }
    }

    fn act(
        &mut self,
        context: &mut Context<'_>,
        action: Action,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let (now, settings) = (context.now, context.settings);
        let query = request.uri().query().unwrap_or_default();
        let people = self.people.as_deref().unwrap_or_default();
        match action {
            Action::Link => {
                let client = request::client(request.headers(), settings)?;
                let object = request::object(request, &["redirect_uri", "grants"])?;
                let wish = login::wish(client, &object, settings)?;
                self.counters.links += 1;
                let path = self.logins.link(now, context.limit, settings, &mut self.mint, wish);
                let url = format!("http://{}{path}", host(request));
                Ok(json(now, Evidence::Published, Verdict::Answered, &link_reply(&url)))
            }
            Action::OpenId => match openid::wish(query, settings) {
                Ok(wish) => {
                    self.counters.links += 1;
                    let path = self.logins.link(now, context.limit, settings, &mut self.mint, wish);
                    Ok((Verdict::Page, page::see_other(&path, now)))
                }
                Err(text) => {
                    let title = "This request to sign in is wrong";
                    let page = notice(StatusCode::BAD_REQUEST, title, &text);
                    Ok((Verdict::BadRequest, page.response(now)))
                }
            },
            Action::LoginPage => Ok((Verdict::Page, self.logins.page(now, query, people))),
            Action::Login => {
                let form = form(request)?;
                let (chosen, response) =
                    self.logins.choose(now, context.limit, settings, &mut self.mint, &form, people);
                match chosen {
                    Some(true) => self.counters.sign_ins += 1,
                    Some(false) => self.counters.refusals += 1,
                    None => {}
                }
                Ok((Verdict::Page, response))
            }
            Action::Token | Action::OpenIdToken => self.exchange(context, action, request),
            Action::Refresh => self.refresh(context, request),
            Action::AccountPage => {
                let content = account::content(people, |person| self.tokens.sessions(person));
                Ok((Verdict::Page, Page::new("Your Freedom ID", content).response(now)))
            }
            Action::SignOut => {
                let form = form(request)?;
                let person = urlencoded::one(&form, "user").unwrap_or_default();
                self.sign_out(context, person, 1);
                Ok((Verdict::Page, page::see_other("/account", now)))
            }
            _ => self.with_bearer(context, action, request),
        }
    }

    /// Trades a code for tokens.
    fn exchange(
        &mut self,
        context: &mut Context<'_>,
        action: Action,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let Context { now, limit, settings, .. } = *context;
        let is_openid = action == Action::OpenIdToken;
        let client = request::client(request.headers(), settings)?;
        let known: &[_] = if is_openid { &openid::FIELDS } else { &["authorization_code"] };
        let object = request::object(request, known)?;
        let (code, redirect_uri) = match is_openid {
            true => openid::exchange(&object).map(|(code, uri)| (code, Some(uri)))?,
            false => {
                let mut invalid = error::Invalid::default();
                let code = request::text(&object, "authorization_code", &mut invalid);
                invalid.check()?;
                (code, None)
            }
        };
        let redeemed = self.logins.redeem(now, client, code, is_openid);
        let redeemed = redeemed.inspect_err(|refused| {
            self.counters.code_reuse += u64::from(refused.verdict == Verdict::ReusedCode);
        });
        let (wish, person) = redeemed?;
        if redirect_uri.is_some_and(|uri| uri != wish.redirect_uri) {
            return Err(Refused::code(Verdict::UnknownCode));
        }
        self.counters.grants += 1;
        let id = self.mint.uuid_7(now);
        let family =
            Family::new(id, client.to_owned(), person.clone(), wish.grants.clone(), is_openid);
        let mut at = At { now, limit, settings, mint: &mut self.mint };
        let (granted, _) = self.tokens.sign_in(&mut at, family);
        if !is_openid {
            return Ok(json(now, Evidence::Published, Verdict::Granted, &granted));
        }
        let reply = json!({
            "access_token": granted.access_token,
            "expires_in": settings.access_lifetime.as_secs(),
            "refresh_token": granted.refresh_token,
            "token_type": "Bearer",
            "id_token": openid::id_token(now, settings, &person, &wish),
        });
        Ok(json(now, Evidence::Assumed, Verdict::Granted, &reply))
    }

    fn refresh(&mut self, context: &mut Context<'_>, request: &Request<Vec<u8>>) -> Answer {
        let Context { now, limit, settings, .. } = *context;
        // The printed request has neither.
        if !request.body().is_empty() || request.headers().contains_key("content-type") {
            return Err(Refused::form("A refresh has no body and no content type."));
        }
        let counters = &mut self.counters;
        let mut at = At { now, limit, settings, mint: &mut self.mint };
        let reused = || counters.refresh_reuse += 1;
        let refreshed = self.tokens.refresh(&mut at, request.headers(), reused)?;
        let (verdict, granted) = match refreshed {
            Refreshed::Anew(granted) => (Verdict::Refreshed, granted),
            Refreshed::Again(granted) => {
                context.findings.push(context.at, Mistake::RefreshTokenReused, None);
                (Verdict::RefreshedAgain, granted)
            }
        };
        self.counters.refreshes += 1;
        Ok(json(now, Evidence::Published, verdict, &granted))
    }

    /// Answers what needs an access token.
    fn with_bearer(
        &mut self,
        context: &mut Context<'_>,
        action: Action,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let Context { now, limit, settings, .. } = *context;
        let counters = &mut self.counters;
        let expired = || counters.expired_bearers += 1;
        let family = self.tokens.admit(now, request.headers(), expired)?;
        let person = family.person.clone();
        let people = self.people.get_or_insert_default();
        match action {
            Action::UserInfo => {
                let known = people.iter().find(|known| known.id == person);
                let reply = known.map_or(Value::Null, |known| known.granted(&family.grants));
                Ok(json(now, Evidence::Draft, Verdict::Answered, &reply))
            }
            Action::RequestProfile => {
                if !family.grants.iter().any(|grant| grant == "read.profile") {
                    let message = "The grant read.profile is missing.";
                    return Err(Refused::unauthorized(Verdict::BadBearer, message));
                }
                let object = request::object(request, &["request_id", "created_at"])?;
                let payload = self.mint.token();
                let reply = self.profiles.request(now, limit, &person, &payload, &object)?;
                Ok(json(now, Evidence::Published, Verdict::Applied, &reply))
            }
            Action::ProfileStatus => {
                let object = request::object(request, &["request_id"])?;
                let reply = self.profiles.status(now, settings, &person, &object)?;
                Ok(json(now, Evidence::Assumed, Verdict::Answered, &reply))
            }
            Action::CreateUser => {
                let object = request::object(request, &user::FIELDS)?;
                let created =
                    Person { id: self.mint.uuid_4(), ..user::read(&object, people, false)? };
                let reply = json!({ "freedom_id": created.id });
                people.push(created);
                // The ledger would hold a phone: the users themselves show what was applied.
                Ok(json(now, Evidence::Assumed, Verdict::Applied, &reply))
            }
            _ => {
                let known: Vec<_> = user::FIELDS.into_iter().chain([user::ID]).collect();
                let object = request::object(request, &known)?;
                let changed = user::read(&object, people, true)?;
                let reply = json!({ "freedom_id": changed.id });
                if let Some(known) = people.iter_mut().find(|known| known.id == changed.id) {
                    *known = changed;
                }
                Ok(json(now, Evidence::Assumed, Verdict::Applied, &reply))
            }
        }
    }
}

fn json(
    now: Time,
    evidence: Evidence,
    verdict: Verdict,
    body: &impl Serialize,
) -> (Verdict, Response<Vec<u8>>) {
    (verdict, reply::with_json(StatusCode::OK, now, evidence, body))
}

/// Reads the form of a page.
fn form(request: &Request<Vec<u8>>) -> Result<crate::pg_sig::Fields, Refused> {
    let text = std::str::from_utf8(request.body()).ok();
    text.and_then(urlencoded::read).ok_or_else(|| Refused::form("The form cannot be read."))
}

/// Returns the host by which the request reached the sandbox.
fn host(request: &Request<Vec<u8>>) -> &str {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    host.unwrap_or("127.0.0.1")
}
