//! A user's profile: requested, pending for a while, then there for an hour.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::error::{Invalid, Refused};
use super::request::{is_uuid, text};
use super::settings::FreedomIdSettings;
use crate::latest::Latest;
use crate::time::Time;

/// How long a profile can be read (published).
const KEPT: Duration = Duration::from_secs(60 * 60);

/// The profiles that were requested, by request id.
#[derive(Clone, Debug, Default)]
pub(super) struct Profiles {
    requested: Latest<Profile>,
}

#[derive(Clone, Debug)]
struct Profile {
    person: String,
    requested: Time,
    payload: String,
}

impl Profiles {
    /// Takes a request for a profile. A repeat of its id changes nothing (assumed).
    pub(super) fn request(
        &mut self,
        now: Time,
        limit: usize,
        person: &str,
        payload: &str,
        object: &Map<String, Value>,
    ) -> Result<Value, Refused> {
        let id = request_id(object)?;
        match self.requested.find(&id) {
            Some(known) if known.person != person => {
                let mut invalid = Invalid::default();
                invalid.taken("request_id");
                invalid.check()?;
            }
            Some(_) => {}
            None => {
                let payload = payload.chars().take(96).collect();
                let profile = Profile { person: person.to_owned(), requested: now, payload };
                self.requested.insert(limit, id.clone(), profile);
            }
        }
        Ok(json!({
            "request_id": id,
            "status": "accepted",
            "status_message": "PROCESS: profile is pending",
            "freedom_id": person,
        }))
    }

    /// Answers where a request stands.
    pub(super) fn status(
        &self,
        now: Time,
        settings: &FreedomIdSettings,
        person: &str,
        object: &Map<String, Value>,
    ) -> Result<Value, Refused> {
        let id = request_id(object)?;
        let known = self.requested.find(&id).filter(|profile| profile.person == person);
        let datetime = now.to_micros_z();
        let ready = known.map(|profile| profile.requested.after(settings.profile_pending));
        Ok(match (known, ready) {
            (Some(_), Some(ready)) if now < ready => json!({
                "request_id": id, "status": "pending", "freedom_id": person, "datetime": datetime,
            }),
            (Some(profile), Some(ready)) if now < ready.after(KEPT) => json!({
                "request_id": id, "status": "completed", "freedom_id": person,
                "profile": { "payload": profile.payload }, "datetime": datetime,
            }),
            _ => json!({ "request_id": id, "status": "not_found", "datetime": datetime }),
        })
    }
}

fn request_id(object: &Map<String, Value>) -> Result<String, Refused> {
    let mut invalid = Invalid::default();
    let id = text(object, "request_id", &mut invalid);
    if !id.is_empty() && !is_uuid(id) {
        invalid.format("request_id");
    }
    invalid.check()?;
    Ok(id.to_ascii_lowercase())
}
