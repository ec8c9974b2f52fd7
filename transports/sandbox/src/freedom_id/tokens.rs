//! Freedom ID's tokens: granted for a code, rotated by a refresh, revoked from outside.
//!
//! Owns every token's state. Does not know codes, pages or profiles.

use http::HeaderMap;
use serde::Serialize;

use super::error::Refused;
use super::mint::Mint;
use super::settings::{FreedomIdSettings, TokenIds};
use crate::latest::Latest;
use crate::log::Verdict;
use crate::request::bearer;
use crate::rotation::Rotation;
use crate::time::Time;

/// Every token that Freedom ID remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens {
    issued: Latest<Issued>,
    /// By the token id of the sign-in.
    families: Latest<Family>,
}

/// What descends from one sign-in.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) client: String,
    pub(super) person: String,
    pub(super) grants: Vec<String>,
    /// How the sign-in was made: an OIDC refresh token is not taken by the refresh of OAuth2.
    pub(super) is_openid: bool,
    /// The newest token id.
    id: String,
    is_live: bool,
}

#[derive(Clone, Debug)]
struct Issued {
    family: String,
    is_refresh: bool,
    ends: Time,
    /// For a refresh token that was used: when, and what it brought.
    retired: Option<(Time, Granted)>,
}

/// A grant, its fields in the printed order.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Granted {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    access_expire_at: String,
    refresh_expire_at: String,
}

/// What the tokens need to know at each request.
pub(super) struct At<'a> {
    pub(super) now: Time,
    pub(super) limit: usize,
    pub(super) settings: &'a FreedomIdSettings,
    pub(super) mint: &'a mut Mint,
}

/// How a refresh ended, if it was not refused.
pub(super) enum Refreshed {
    Anew(Granted),
    /// The same grant again, within the time of grace.
    Again(Granted),
}

impl Tokens {
    /// Grants tokens for a code. Returns them and the family.
    pub(super) fn sign_in(&mut self, at: &mut At<'_>, family: Family) -> (Granted, String) {
        let key = family.id.clone();
        let granted = self.grant(at, &key, key.clone(), None);
        self.families.insert(at.limit, key.clone(), family);
        (granted, key)
    }

    /// Trades a refresh token for a new grant. `reused` is called if the token was used before.
    pub(super) fn refresh(
        &mut self,
        at: &mut At<'_>,
        headers: &HeaderMap,
        reused: impl FnOnce(),
    ) -> Result<Refreshed, Refused> {
        let refused = |verdict| Refused::unauthorized(verdict, "Invalid refresh token.");
        let unknown = || refused(Verdict::UnknownRefreshToken);
        let token = bearer(headers).ok_or_else(unknown)?;
        let issued = self.issued.find(token).filter(|issued| issued.is_refresh);
        let Issued { family: key, ends, retired, .. } = issued.ok_or_else(unknown)?.clone();
        let rotation = at.settings.rotation;
        if let Some((when, granted)) = retired {
            reused();
            let is_forgiven = match rotation {
                Rotation::GraceSeconds(grace) => {
                    at.now < when.shifted(i64::from(grace).saturating_mul(1_000_000))
                }
                _ => false,
            };
            if is_forgiven && self.is_live(&key) {
                return Ok(Refreshed::Again(granted));
            }
            if rotation == Rotation::ReuseRevokesFamily {
                self.revoke(&key);
            }
            return Err(refused(Verdict::ReusedRefreshToken));
        }
        if at.now >= ends {
            return Err(refused(Verdict::ExpiredRefreshToken));
        }
        let live = |family: &&mut Family| family.is_live && !family.is_openid;
        let family = self.families.find_mut(&key).filter(live).ok_or_else(unknown)?;
        if at.settings.token_ids == TokenIds::Renewed {
            family.id = at.mint.uuid_7(at.now);
        }
        let id = family.id.clone();
        let kept = (rotation == Rotation::Never).then(|| (token.to_owned(), ends));
        let granted = self.grant(at, &key, id, kept);
        if let Some(old) = self.issued.find_mut(token).filter(|_| rotation != Rotation::Never) {
            old.retired = Some((at.now, granted.clone()));
        }
        Ok(Refreshed::Anew(granted))
    }

    /// Returns the family of a request's access token, if the token is valid now. `expired` is called
    /// if its time is over.
    pub(super) fn admit(
        &self,
        now: Time,
        headers: &HeaderMap,
        expired: impl FnOnce(),
    ) -> Result<&Family, Refused> {
        let refused = |verdict| Refused::unauthorized(verdict, "Unauthenticated.");
        let bad = || refused(Verdict::BadBearer);
        let token = bearer(headers).ok_or_else(bad)?;
        let issued = self.issued.find(token).filter(|issued| !issued.is_refresh);
        let issued = issued.ok_or_else(bad)?;
        if now >= issued.ends {
            expired();
            return Err(refused(Verdict::ExpiredBearer));
        }
        self.families.find(&issued.family).filter(|family| family.is_live).ok_or_else(bad)
    }

    /// Ends every session of a user. Returns the client and the newest token id of each.
    pub(super) fn end_sessions(&mut self, person: &str) -> Vec<(String, String)> {
        let families = self.families.values_mut();
        let live = families.filter(|family| family.is_live && family.person == person);
        live.map(|family| {
            family.is_live = false;
            (family.client.clone(), family.id.clone())
        })
        .collect()
    }

    /// Returns how many sessions of a user have not been ended.
    pub(super) fn sessions(&self, person: &str) -> usize {
        let families = self.families.values();
        families.filter(|family| family.is_live && family.person == person).count()
    }

    fn is_live(&self, key: &str) -> bool {
        self.families.find(key).is_some_and(|family| family.is_live)
    }

    fn revoke(&mut self, key: &str) {
        if let Some(family) = self.families.find_mut(key) {
            family.is_live = false;
        }
    }

    /// Makes a grant. A refresh token that is kept comes with its end.
    fn grant(
        &mut self,
        at: &mut At<'_>,
        family: &str,
        id: String,
        kept: Option<(String, Time)>,
    ) -> Granted {
        let access_ends = at.now.after(at.settings.access_lifetime);
        let access_token = self.issue(at, family, false, access_ends);
        let (refresh_token, refresh_ends) = kept.unwrap_or_else(|| {
            let ends = at.now.after(at.settings.refresh_lifetime);
            (self.issue(at, family, true, ends), ends)
        });
        Granted {
            id: (at.settings.token_ids != TokenIds::Absent).then_some(id),
            access_token,
            refresh_token,
            access_expire_at: access_ends.to_seconds_zeros_z(),
            refresh_expire_at: refresh_ends.to_seconds_zeros_z(),
        }
    }

    fn issue(&mut self, at: &mut At<'_>, family: &str, is_refresh: bool, ends: Time) -> String {
        let token = at.mint.token();
        let issued = Issued { family: family.to_owned(), is_refresh, ends, retired: None };
        self.issued.insert(at.limit, token.clone(), issued);
        token
    }
}

impl Family {
    /// Creates a session with this token id.
    pub(super) fn new(
        id: String,
        client: String,
        person: String,
        grants: Vec<String>,
        is_openid: bool,
    ) -> Self {
        Self { client, person, grants, is_openid, id, is_live: true }
    }
}
