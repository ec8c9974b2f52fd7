//! What must hold before a transaction may record that a call is sent: the version of the tables,
//! the server's identity, and settings by which it loses nothing that it has committed.

use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::error::JournalPostgresError;
use super::schema::VERSION;

/// What a server says of itself and of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    version: i32,
    /// The identifier and timeline of the server that the journal was accepted on.
    accepted_on: (String, String),
    accepted: i64,
    is_rewound: bool,
    here: (String, String),
    /// How much of its log is durable, in bytes.
    flushed: u128,
    settings: [(&'static str, String); 3],
}

/// How far this client has seen a server's log to be durable, and after which acceptance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    accepted: i64,
    flushed: u128,
}

impl Seen {
    /// Keeps how much of the log is durable after a commit, from the answer to
    /// [`FLUSHED`](super::statements::FLUSHED).
    pub(super) fn on_flushed(&mut self, messages: &[SimpleQueryMessage]) {
        let flushed = row(messages).and_then(|row| row.try_get("flushed").ok().flatten());
        let flushed = flushed.and_then(|bytes| bytes.parse().ok()).unwrap_or_default();
        self.flushed = self.flushed.max(flushed);
    }
}

fn row(messages: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

impl Guard {
    /// Reads the row of [`GUARD`](super::statements::GUARD). `None` if there is none.
    pub(super) fn read(messages: &[SimpleQueryMessage]) -> Option<Self> {
        let row = row(messages)?;
        let text = |name: &str| row.try_get(name).ok().flatten().map(str::to_owned);
        let setting = |name| Some((name, text(name)?));
        Some(Self {
            version: text("version")?.parse().ok()?,
            accepted_on: (text("system")?, text("timeline")?),
            accepted: text("accepted")?.parse().ok()?,
            is_rewound: text("is_rewound")? == "t",
            here: (text("here")?, text("timeline_here")?),
            flushed: text("flushed")?.parse().ok()?,
            settings: [
                setting("synchronous_commit")?,
                setting("fsync")?,
                setting("full_page_writes")?,
            ],
        })
    }

    /// Checks that a call may be sent on the word of this server, and keeps how far its log is
    /// durable.
    ///
    /// # Errors
    ///
    /// [`JournalPostgresError::Rewound`] for the first time must be written to the journal, so that
    /// other clients know it too.
    pub(super) fn check(&self, seen: &mut Seen) -> Result<(), JournalPostgresError> {
        match self.version {
            found if found < VERSION => {
                return Err(JournalPostgresError::Outdated { found, needed: VERSION });
            }
            found if found > VERSION => {
                return Err(JournalPostgresError::TooNew { found, known: VERSION });
            }
            _ => {}
        }
        let off = self.settings.iter().find(|(_, value)| value == "off");
        if let Some((setting, value)) = off {
            let value = value.clone();
            return Err(JournalPostgresError::NotDurable { setting, value });
        }
        if self.here != self.accepted_on {
            return Err(JournalPostgresError::Moved);
        }
        let is_back = seen.accepted == self.accepted && self.flushed < seen.flushed;
        // Before it was accepted, this client knew more than the server does now.
        if self.is_rewound || is_back || self.accepted < seen.accepted {
            return Err(JournalPostgresError::Rewound);
        }
        *seen = Seen { accepted: self.accepted, flushed: self.flushed };
        Ok(())
    }

    /// Whether every client knows already that the server went back in time.
    pub(super) fn is_known_as_rewound(&self) -> bool {
        self.is_rewound
    }
}
