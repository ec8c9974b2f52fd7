//! The signed services' part of the control interface.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::merchant::Merchant;
use crate::operation::Operation;
use crate::served::Scripted;
use crate::signed::{KeyRepeat, ReplyScript, SignedSettings, StatusForm};

/// The settings of the signed services that a request may change. A missing field leaves its setting as
/// it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    processing_ms: Option<u32>,
    repeated_code: Option<u32>,
    key_repeat: Option<KeyRepeat>,
    /// `null` takes the pace away.
    #[serde(default, deserialize_with = "present")]
    pace_ms: Option<Option<u32>>,
    status_form: Option<StatusForm>,
    reply_script: Option<ReplyScript>,
    mobile_replies_signed: Option<bool>,
    refusal_status: Option<u16>,
    forbids_unknown_paths: Option<bool>,
    /// By operation; an empty list ends a script.
    #[serde(default)]
    replies: BTreeMap<Operation, VecDeque<Scripted>>,
}

/// A merchant's two keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MerchantChange {
    secret: String,
    payout_secret: String,
}

impl From<MerchantChange> for Merchant {
    fn from(MerchantChange { secret, payout_secret }: MerchantChange) -> Self {
        Self::new(secret, payout_secret)
    }
}

impl Change {
    /// Returns the settings after the change, or what is wrong with it.
    pub(super) fn apply(self, known: &SignedSettings) -> Result<SignedSettings, String> {
        let mut settings = known.clone();
        let scripted = self.replies.values().flatten().map(|reply| reply.status);
        let mut statuses = self.refusal_status.into_iter().chain(scripted);
        if let Some(status) = statuses.find(|status| !(100..=999).contains(status)) {
            return Err(format!("signed: {status} is not an HTTP status"));
        }
        let millis = |ms: u32| Duration::from_millis(ms.into());
        set(&mut settings.processing, self.processing_ms.map(millis));
        set(&mut settings.repeated_code, self.repeated_code);
        set(&mut settings.key_repeat, self.key_repeat);
        set(&mut settings.pace, self.pace_ms.map(|pace| pace.map(millis)));
        set(&mut settings.status_form, self.status_form);
        set(&mut settings.reply_script, self.reply_script);
        set(&mut settings.mobile_replies_signed, self.mobile_replies_signed);
        set(&mut settings.refusal_status, self.refusal_status);
        set(&mut settings.forbids_unknown_paths, self.forbids_unknown_paths);
        for (operation, replies) in self.replies {
            if !matches!(operation, Operation::Signed(_)) {
                return Err(format!("signed.replies: {operation} is not a signed operation"));
            }
            settings.replies.insert(operation, replies);
        }
        settings.replies.retain(|_, replies| !replies.is_empty());
        Ok(settings)
    }
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
