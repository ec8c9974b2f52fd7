//! A profile: settings under one name, and where in the file each of them stands.
//!
//! Owns the names of the settings, and their kinds. Does not know which command has which setting.

use std::ffi::OsString;
use std::fmt;

use super::place::Place;
use super::secret::SecretFrom;

/// What a setting is in the file of profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// The path of a file, relative to the folder of the file of profiles.
    Path,
    /// A text, or `@` and the path of a file.
    TextOrPath,
    /// A text that may begin with `file:` and then has such a path.
    Store,
    /// A path, or the URL of a database.
    PathOrUrl,
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number,
}

/// The settings that a profile may have beside its secret, in the order of `imts config show`. Each
/// has the name of its option: `base_url` is `--base-url`. A new option that a profile may set
/// needs a line here, and no more.
pub(crate) const KEYS: [(&str, Kind); 17] = [
    ("base_url", Kind::Text),
    ("plain_http", Kind::Switch),
    ("plain_http_host", Kind::Text),
    ("agent_id", Kind::Text),
    ("service_file", Kind::Path),
    ("store", Kind::Store),
    ("no_store", Kind::Switch),
    ("store_password_file", Kind::Path),
    ("store_key_file", Kind::Path),
    ("journal", Kind::PathOrUrl),
    ("journal_password_file", Kind::Path),
    ("allow_unsynced_folder", Kind::Switch),
    ("reply_limit", Kind::Number),
    ("transport", Kind::Text),
    ("ca_file", Kind::Path),
    ("proxy", Kind::TextOrPath),
    ("timeout", Kind::Text),
];

/// Settings under one name.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) values: Vec<Value>,
    pub(crate) secret: Option<(SecretFrom, Place)>,
}

/// The value of one setting, in the form that its option takes.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) key: &'static str,
    pub(crate) value: OsString,
    pub(crate) place: Place,
}

/// Where a setting comes from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Origin {
    /// The option of this name.
    Option(String),
    Variable(String),
    Profile(Place),
    #[default]
    Default,
}

/// One setting as it is used.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    /// `None` if it is not set and has no default.
    pub(crate) value: Option<String>,
    pub(crate) origin: Origin,
}

/// What a command line comes to beside its options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    /// The profile, and where its name comes from.
    pub(crate) profile: Option<(Profile, Origin)>,
    pub(crate) settings: Vec<Setting>,
    /// Whether `--secret-file` is an argument. Then nothing else yields the secret.
    pub(crate) is_secret_file_given: bool,
}

impl Chosen {
    pub(crate) fn name(&self) -> Option<&str> {
        self.profile.as_ref().map(|(profile, _)| profile.name.as_str())
    }

    /// Returns where the profile's secret comes from.
    pub(crate) fn secret(&self) -> Option<&(SecretFrom, Place)> {
        self.profile.as_ref()?.0.secret.as_ref()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::Profile(place) => place.fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}
