//! How the signed services behave. What is unknown of them is a setting.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::operation::Operation;
use crate::served::Scripted;

/// The behaviour of the signed services. Start from the default and change what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedSettings {
    /// How long a payment or a request is in process before its status says that it is done. Default
    /// 2 s (assumed).
    pub processing: Duration,
    /// The code of a refused repeat: of Card API and Products, where no page prints one. E-Money has
    /// 1002 (published). Default 1002 (assumed).
    pub repeated_code: u32,
    /// What becomes of a form request whose `pg_idempotency_key` came before. Default
    /// [`KeyRepeat::Replays`] (assumed; what the service does is unknown).
    pub key_repeat: KeyRepeat,
    /// How far apart the payment calls of one merchant must be. A call that comes sooner is not
    /// applied, and is answered with 429 (assumed). The page asks for 1.5 to 2 s. Default none.
    pub pace: Option<Duration>,
    /// The form of a reply to a status operation. Default [`StatusForm::Xml`].
    pub status_form: StatusForm,
    /// The name that a form reply is signed with. Default [`ReplyScript::Called`].
    pub reply_script: ReplyScript,
    /// Whether the replies of `mfs/pay` and `mfs/approve` are signed. The pages print them without.
    /// Default true (assumed).
    pub mobile_replies_signed: bool,
    /// The HTTP status of a refusal. Default 200: the pages label every reply so, and the status on an
    /// error is unknown.
    pub refusal_status: u16,
    /// Whether a path that no signed service has is answered with 403 and a page of HTML, as has been
    /// seen on the live service. If not, it is answered with 404. Default true.
    pub forbids_unknown_paths: bool,
    /// The replies of an operation, by name, as in [`Served::replies`](crate::Served::replies). Of a
    /// form operation, `payload` has fields that are added, and `body` has all fields; both are texts,
    /// and the reply is signed.
    pub replies: BTreeMap<Operation, VecDeque<Scripted>>,
}

impl Default for SignedSettings {
    fn default() -> Self {
        Self {
            processing: Duration::from_secs(2),
            repeated_code: 1002,
            key_repeat: KeyRepeat::Replays,
            pace: None,
            status_form: StatusForm::Xml,
            reply_script: ReplyScript::Called,
            mobile_replies_signed: true,
            refusal_status: 200,
            forbids_unknown_paths: true,
            replies: BTreeMap::new(),
        }
    }
}

/// What becomes of a form request whose `pg_idempotency_key` came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyRepeat {
    /// The original reply is sent again.
    Replays,
    /// It is refused and not applied.
    Refuses,
    /// It is applied again, as if it had no key.
    Applies,
}

/// The form of a reply to a status operation. Both are published, on different pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatusForm {
    /// XML, `<response>`.
    Xml,
    /// JSON with the same names.
    Json,
}

/// The name that a form reply is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReplyScript {
    /// The last part of the called path (assumed).
    Called,
    /// The same, but `card/init` and `card/direct` sign without a name and without its semicolon, as one
    /// integrator claims.
    CalledOrNone,
}
