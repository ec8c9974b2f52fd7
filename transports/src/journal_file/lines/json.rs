//! Owns the JSON of a record.

use imts_core::call::Ending;
use imts_core::journal::{
    CallRecord, CallState, Despite, Digest, Entry, Finding, Intent, Resolution, Scope,
};
use imts_core::time::Wall;
use serde::{Deserialize, Serialize};

use super::super::disk::FileId;
use super::{Record, Summary};

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Intent(IntentLine),
    Sending {
        id: u64,
        at_us: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_us: Option<i64>,
    },
    Ended {
        id: u64,
        at_us: i64,
        ending: String,
    },
    Resolved {
        id: u64,
        at_us: i64,
        finding: String,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    Call {
        intent: IntentLine,
        state: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_us: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_us: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_us: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolution: Option<ResolutionLine>,
    },
    Compacted {
        at_us: i64,
        done: u64,
        calls: u64,
        last: u64,
        first_own: u64,
    },
    File {
        at_us: i64,
        inode: Option<u64>,
        born_ns: Option<u64>,
    },
    Accepted {
        at_us: i64,
        inode: Option<u64>,
        born_ns: Option<u64>,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentLine {
    id: u64,
    at_us: i64,
    operation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    reference: Option<String>,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    despite: Option<DespiteLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DespiteLine {
    id: u64,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolutionLine {
    finding: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// Returns `None` if the record has no JSON form.
pub(super) fn write(record: &Record) -> Option<Vec<u8>> {
    serde_json::to_vec(&Line::of(record)?).ok()
}

/// Returns `None` if the JSON is not a record.
pub(super) fn read(json: &[u8]) -> Option<Record> {
    record(serde_json::from_slice(json).ok()?)
}

fn us(at: Wall) -> i64 {
    at.unix_micros()
}

impl Line {
    fn of(record: &Record) -> Option<Self> {
        Some(match record {
            Record::File { at, file } => {
                Self::File { at_us: us(*at), inode: file.inode, born_ns: file.born_ns }
            }
            Record::Accepted { at, file, reason, by } => Self::Accepted {
                at_us: us(*at),
                inode: file.inode,
                born_ns: file.born_ns,
                reason: reason.clone(),
                by: by.clone(),
            },
            Record::Call(id, Entry::Intent(intent)) => Self::Intent(IntentLine::of(*id, intent)),
            Record::Call(id, Entry::Sending { at, until, .. }) => {
                Self::Sending { id: *id, at_us: us(*at), until_us: until.map(us) }
            }
            Record::Call(id, Entry::Ended { at, ending, .. }) => {
                Self::Ended { id: *id, at_us: us(*at), ending: ending.as_str().to_owned() }
            }
            Record::Call(id, Entry::Resolved { at, resolution, .. }) => {
                let ResolutionLine { finding, reason, by } = ResolutionLine::of(resolution);
                Self::Resolved { id: *id, at_us: us(*at), finding, reason, by }
            }
            Record::Whole(call) => Self::Call {
                intent: IntentLine::of(call.id, &call.intent()),
                state: call.state.as_str().to_owned(),
                sent_us: call.sent_at.map(us),
                until_us: call.sending_until.map(us),
                ended_us: call.ended_at.map(us),
                resolution: call.resolution.as_ref().map(ResolutionLine::of),
            },
            Record::Compacted(Summary { at, done, calls, last, first_own }) => Self::Compacted {
                at_us: us(*at),
                done: *done,
                calls: *calls,
                last: *last,
                first_own: *first_own,
            },
            Record::Done(_) => return None,
        })
    }
}

impl IntentLine {
    fn of(id: u64, intent: &Intent) -> Self {
        Self {
            id,
            at_us: us(intent.at),
            operation: intent.operation.clone(),
            url: intent.scope.as_ref().map(|scope| scope.url.clone()),
            agent: intent.scope.as_ref().map(|scope| scope.agent.clone()),
            reference: intent.reference.clone(),
            digest: intent.digest.to_string(),
            meaning: intent.meaning.map(|meaning| meaning.to_string()),
            despite: intent.despite.clone().map(|despite| DespiteLine {
                id: despite.id,
                reason: despite.reason,
                by: despite.by,
            }),
        }
    }

    fn read(self) -> Option<(u64, Intent)> {
        let digest = |digits: &str| u64::from_str_radix(digits, 16).ok().map(Digest);
        let scope = match (self.url, self.agent) {
            (Some(url), Some(agent)) => Some(Scope { url, agent }),
            (None, None) => None,
            _ => return None,
        };
        let meaning = match self.meaning {
            Some(meaning) => Some(digest(&meaning)?),
            None => None,
        };
        let despite = self.despite.map(|it| Despite { id: it.id, reason: it.reason, by: it.by });
        let intent = Intent {
            operation: self.operation,
            scope,
            reference: self.reference,
            digest: digest(&self.digest)?,
            meaning,
            at: Wall::from_unix_micros(self.at_us),
            despite,
        };
        Some((self.id, intent))
    }
}

impl ResolutionLine {
    fn of(resolution: &Resolution) -> Self {
        Self {
            finding: resolution.finding.as_str().to_owned(),
            reason: resolution.reason.clone(),
            by: resolution.by.clone(),
        }
    }

    fn read(self) -> Option<Resolution> {
        let all = [Finding::Done, Finding::Refused];
        let finding = all.into_iter().find(|it| it.as_str() == self.finding)?;
        Some(Resolution { finding, reason: self.reason, by: self.by })
    }
}

fn record(line: Line) -> Option<Record> {
    let at = Wall::from_unix_micros;
    Some(match line {
        Line::Intent(intent) => {
            let (id, intent) = intent.read()?;
            Record::Call(id, Entry::Intent(intent))
        }
        Line::Sending { id, at_us, until_us } => {
            Record::Call(id, Entry::Sending { id, at: at(at_us), until: until_us.map(at) })
        }
        Line::Ended { id, at_us, ending } => {
            let all = [Ending::Done, Ending::Refused, Ending::Unknown, Ending::NotSent];
            let ending = all.into_iter().find(|it| it.as_str() == ending)?;
            Record::Call(id, Entry::Ended { id, at: at(at_us), ending })
        }
        Line::Resolved { id, at_us, finding, reason, by } => {
            let resolution = ResolutionLine { finding, reason, by }.read()?;
            Record::Call(id, Entry::Resolved { id, at: at(at_us), resolution })
        }
        Line::Call { intent, state, sent_us, until_us, ended_us, resolution } => {
            let (id, intent) = intent.read()?;
            let mut call = CallRecord::new(id, &intent);
            let all = [
                CallState::Intended,
                CallState::InDoubt,
                CallState::Done,
                CallState::Refused,
                CallState::NotSent,
            ];
            call.state = all.into_iter().find(|it| it.as_str() == state)?;
            (call.sent_at, call.sending_until) = (sent_us.map(at), until_us.map(at));
            call.ended_at = ended_us.map(at);
            call.resolution = match resolution {
                Some(resolution) => Some(resolution.read()?),
                None => None,
            };
            Record::Whole(Box::new(call))
        }
        Line::Compacted { at_us, done, calls, last, first_own } => {
            Record::Compacted(Summary { at: at(at_us), done, calls, last, first_own })
        }
        Line::File { at_us, inode, born_ns } => {
            Record::File { at: at(at_us), file: FileId { inode, born_ns } }
        }
        Line::Accepted { at_us, inode, born_ns, reason, by } => {
            Record::Accepted { at: at(at_us), file: FileId { inode, born_ns }, reason, by }
        }
    })
}
