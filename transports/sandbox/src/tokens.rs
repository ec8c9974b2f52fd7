//! The tokens: given by sign-in and by refresh, revoked, checked.
//!
//! Owns every token's state and the counters of what a client must not do. Does not know paths,
//! faults or sockets.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::log::Verdict;
use crate::reply::{self, Answer};
use crate::request::{Refusal, bearer, no_authorization, strings};
use crate::served::Evidence;
use crate::settings::{NoToken, Rotation, Settings};
use crate::time::Time;
use crate::token::{Kind, Mint};

/// Counts grants, and what a client must not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Grants given, by sign-in and by refresh.
    pub grants: u64,
    /// How often a retired refresh token was used again.
    pub refresh_reuse: u64,
    /// How often an access token was used after it had expired.
    pub expired_bearers: u64,
}

/// Every token that the sandbox remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    mint: Mint,
    issued: BTreeMap<String, Issued>,
    families: u64,
    counters: Counters,
}

/// The time at which a request is answered, and the settings that apply.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The time by the service's clock.
    pub(crate) now: Time,
    pub(crate) settings: &'a Settings,
}

#[derive(Clone, Debug)]
struct Issued {
    kind: Kind,
    agent: String,
    /// The sign-in that the token descends from.
    family: u64,
    /// The token's number among all tokens that were made.
    number: u64,
    ends: Time,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Live,
    Revoked,
    /// The token was used, and this refresh token replaced it.
    Retired {
        at: Time,
        successor: String,
    },
}

impl Tokens {
    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        if let Some(issued) = self.issued.get_mut(token) {
            issued.state = State::Revoked;
        }
    }

    pub(crate) fn revoke_kind(&mut self, kind: Kind) {
        self.revoke_where(|issued| issued.kind == kind);
    }

    /// Forgets every token and the counters. Tokens made later still differ from those made before.
    pub(crate) fn reset(&mut self) {
        *self = Self { mint: std::mem::take(&mut self.mint), ..Self::default() };
    }

    fn revoke_where(&mut self, which: impl Fn(&Issued) -> bool) {
        for issued in self.issued.values_mut().filter(|issued| which(issued)) {
            issued.state = State::Revoked;
        }
    }

    pub(crate) fn get_token(
        &mut self,
        context: Context<'_>,
        headers: &HeaderMap,
        body: &Value,
    ) -> Answer {
        let Context { now, settings } = context;
        no_authorization(headers)?;
        let [id, secret] = strings(body, ["agent_id", "agent_secret"])?;
        if settings.agents.get(id).is_none_or(|known| known != secret) {
            let quoted = match settings.quote_secrets {
                true => format!("no agent {id} with secret {secret}"),
                false => "unknown agent or wrong secret".to_owned(),
            };
            return Err(Refusal::new(401, Verdict::WrongCredentials, quoted));
        }
        self.families += 1;
        let payload = self.grant(context, id, self.families, None);
        Ok((Verdict::Granted, reply::success(now, Evidence::Published, payload)))
    }

    pub(crate) fn refresh(
        &mut self,
        context: Context<'_>,
        headers: &HeaderMap,
        body: &Value,
    ) -> Answer {
        let Context { now, settings } = context;
        no_authorization(headers)?;
        let [token] = strings(body, ["refresh_token"])?;
        if settings.refuse_refresh {
            let quoted = if settings.quote_secrets { token } else { "refresh refused" };
            return Err(Refusal::new(401, Verdict::RefusedRefresh, quoted));
        }
        let known = self.issued.get(token).filter(|issued| issued.kind == Kind::Refresh);
        let unknown = Refusal::new(401, Verdict::UnknownRefreshToken, "unknown refresh token");
        let issued = known.ok_or(unknown)?.clone();
        let (verdict, successor) = match &issued.state {
            State::Live if now >= issued.ends => {
                let verdict = Verdict::ExpiredRefreshToken;
                return Err(Refusal::new(401, verdict, "the refresh token has expired"));
            }
            State::Live => (Verdict::Refreshed, None),
            State::Revoked => {
                let verdict = Verdict::UnknownRefreshToken;
                return Err(Refusal::new(401, verdict, "the refresh token was revoked"));
            }
            State::Retired { at, successor } => {
                self.counters.refresh_reuse += 1;
                if !forgives(settings.rotation, *at, now) {
                    if settings.rotation == Rotation::ReuseRevokesFamily {
                        self.revoke_where(|other| other.family == issued.family);
                    }
                    let verdict = Verdict::ReusedRefreshToken;
                    return Err(Refusal::new(401, verdict, "the refresh token was used before"));
                }
                (Verdict::RefreshedAgain, Some(successor.clone()))
            }
        };
        let rotated = self.rotate(context, token, &issued, successor);
        let payload = self.grant(context, &issued.agent, issued.family, Some(rotated));
        Ok((verdict, reply::success(now, Evidence::Assumed, payload)))
    }

    /// Returns the refresh token that a refresh brings, if it brings one.
    fn rotate(
        &mut self,
        context: Context<'_>,
        token: &str,
        issued: &Issued,
        successor: Option<String>,
    ) -> Option<String> {
        if context.settings.rotation == Rotation::Never {
            return None;
        }
        if successor.is_some() {
            return successor;
        }
        let successor = self.issue(Kind::Refresh, &issued.agent, issued.family, context);
        if let Some(old) = self.issued.get_mut(token) {
            old.state = State::Retired { at: context.now, successor: successor.clone() };
        }
        Some(successor)
    }

    /// Makes a grant's payload. After a sign-in (`None`), it has a new refresh token. After a
    /// refresh (`Some`), it has what the refresh brings.
    fn grant(
        &mut self,
        context: Context<'_>,
        agent: &str,
        family: u64,
        rotated: Option<Option<String>>,
    ) -> Payload {
        self.counters.grants += 1;
        let access_token = self.issue(Kind::Access, agent, family, context);
        let refresh_token =
            rotated.unwrap_or_else(|| Some(self.issue(Kind::Refresh, agent, family, context)));
        let refresh_ends = refresh_token.as_ref().and_then(|token| self.issued.get(token));
        Payload {
            access_expire_at: context
                .now
                .after(context.settings.access_lifetime)
                .to_seconds_offset(),
            refresh_expire_at: refresh_ends.map(|issued| issued.ends.to_seconds_offset()),
            access_token,
            refresh_token: match (refresh_token, context.settings.no_token) {
                (Some(token), _) => Some(Some(token)),
                (None, NoToken::Absent) => None,
                (None, NoToken::Null) => Some(None),
                (None, NoToken::Empty) => Some(Some(String::new())),
            },
        }
    }

    fn issue(
        &mut self,
        kind: Kind,
        agent: &str,
        family: u64,
        Context { now, settings }: Context<'_>,
    ) -> String {
        let lifetime = match kind {
            Kind::Access => settings.access_lifetime,
            Kind::Refresh => settings.refresh_lifetime,
        };
        let ends = now.after(lifetime);
        let token = self.mint.make(kind, agent, now, ends);
        let number = self.mint.made();
        if self.issued.len() >= settings.memory_limit.saturating_mul(2) {
            let oldest =
                number.saturating_sub(settings.memory_limit.try_into().unwrap_or(u64::MAX));
            self.issued.retain(|_, issued| issued.number > oldest);
        }
        let agent = agent.to_owned();
        let issued = Issued { kind, agent, family, number, ends, state: State::Live };
        self.issued.insert(token.clone(), issued);
        token
    }

    /// Checks that a request carries an access token that is valid now.
    pub(crate) fn admit(
        &mut self,
        Context { now, settings }: Context<'_>,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let bad = || Refusal::new(401, Verdict::BadBearer, "no valid access token");
        let token = bearer(headers).ok_or_else(bad)?;
        let issued = self.issued.get(token).filter(|issued| issued.kind == Kind::Access);
        let issued = issued.ok_or_else(bad)?;
        if now >= issued.ends {
            self.counters.expired_bearers += 1;
            let message = "the access token has expired";
            return Err(Refusal::new(401, Verdict::ExpiredBearer, message));
        }
        if settings.reject_access || !matches!(issued.state, State::Live) {
            return Err(bad());
        }
        Ok(())
    }
}

/// Returns whether a retired refresh token is accepted once more.
fn forgives(rotation: Rotation, retired: Time, now: Time) -> bool {
    match rotation {
        Rotation::GraceSeconds(grace) => {
            now < retired.shifted(i64::from(grace).saturating_mul(1_000_000))
        }
        _ => false,
    }
}

/// A grant's fields in the published order.
#[derive(Serialize)]
struct Payload {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Option<String>>,
    access_expire_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expire_at: Option<String>,
}
