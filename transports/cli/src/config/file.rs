//! The file of profiles: where it is, and what it may contain.
//!
//! Owns the format. Each thing in it that has no meaning is an error that names its line. Never
//! repeats a value: it may be a secret in the wrong place.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::Place;
use super::profile::{KEYS, Kind, Profile, Value};
use super::secret::SecretFrom;
use super::trust::distrusted;
use crate::failure::Failure;
use crate::input::Source;
use crate::near::did_you_mean;

/// The longest file of profiles that is read, in bytes.
const MAX_FILE: u64 = 1_048_576;

/// The longest name of a profile.
const MAX_NAME: usize = 64;

/// The longest key that a message repeats.
const MAX_KEY: usize = 32;

/// Keys that look like a secret. A secret in this file would be in every copy of it.
const SECRETS: [&str; 5] = ["agent_secret", "password", "client_secret", "token", "secret_key"];

/// Returns where the file of profiles is.
pub(crate) fn path() -> Result<PathBuf, Failure> {
    let folder = |name: &str| match env::var_os(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(folder) if Path::new(&folder).is_absolute() => Ok(Some(PathBuf::from(folder))),
        Some(_) => Err(Failure::usage(format!(
            "{name} is not an absolute path, so the file of profiles cannot be found: correct it, \
             or unset it"
        ))),
    };
    let config = match folder("XDG_CONFIG_HOME")? {
        Some(config) => Some(config),
        None => folder(HOME.0)?.map(|home| home.join(HOME.1)),
    };
    config.map(|config| config.join("imts").join("config.toml")).ok_or_else(|| {
        Failure::usage(format!(
            "the file of profiles cannot be found: neither XDG_CONFIG_HOME nor {} is set",
            HOME.0
        ))
    })
}

/// The variable of the user's own folder, and the folder of settings in it.
#[cfg(not(windows))]
const HOME: (&str, &str) = ("HOME", ".config");
#[cfg(windows)]
const HOME: (&str, &str) = ("APPDATA", "");

/// Returns the profile of this name.
pub(crate) fn profile(name: &str) -> Result<Profile, Failure> {
    let file = path()?;
    let profiles = read(&file)?;
    let names: Vec<_> = profiles.iter().map(|it| it.name.clone()).collect();
    profiles.into_iter().find(|profile| profile.name == name).ok_or_else(|| {
        let near = did_you_mean(names.iter().map(String::as_str), name);
        let has = match &names[..] {
            [] => "none".to_owned(),
            names => names.join(", "),
        };
        Failure::usage(format!(
            "there is no profile of this name in {}.{near} Profiles: {has}",
            file.display()
        ))
    })
}

/// Reads all profiles of a file that only its owner can write.
pub(crate) fn read(file: &Path) -> Result<Vec<Profile>, Failure> {
    let shown = file.display();
    match distrusted(file) {
        Ok(None) => {}
        Ok(Some(why)) => {
            return Err(Failure::usage(format!("the file of profiles is not used: {why}"))
                .advising("Someone else could have changed where your calls go."));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Failure::usage(format!("there is no file of profiles: {shown}"))
                .advising("Create it: `imts config --help` shows how it looks."));
        }
        Err(error) => return Err(Failure::usage(format!("cannot read {shown}: {error}"))),
    }
    let text = Source::File(file.to_owned()).text("the profiles", MAX_FILE);
    let text = text.map_err(|it| it.advising("`imts config --help` shows how it looks."))?;
    Reading { text: &text, file }.profiles().map_err(|wrong| wrong.in_file(file))
}

/// What is wrong in which line.
struct Wrong {
    line: usize,
    message: String,
}

impl Wrong {
    fn in_file(self, file: &Path) -> Failure {
        Failure::usage(format!("{}, line {}: {}", file.display(), self.line, self.message))
    }
}

/// A file whose text is being read.
struct Reading<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Reading<'_> {
    fn profiles(&self) -> Result<Vec<Profile>, Wrong> {
        let file = DeTable::parse(self.text).map_err(|error| Wrong {
            line: self.line(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let mut profiles = BTreeMap::new();
        for (key, value) in file.get_ref() {
            if key.get_ref() != "profile" {
                let names = ["profile"].into_iter();
                return Err(self.unknown(key, names, "a profile begins with [profile.NAME]"));
            }
            for (name, value) in self.table(value, "[profile.NAME]")? {
                let is_plain = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
                let text = name.get_ref();
                if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(is_plain) {
                    return Err(self.wrong(
                        name.span().start,
                        format!(
                            "a profile's name has 1 to {MAX_NAME} letters, digits, dots, hyphens or \
                             underscores"
                        ),
                    ));
                }
                let place = value.span().start;
                profiles.insert(place, self.profile(text, self.table(value, "[profile.NAME]")?)?);
            }
        }
        Ok(profiles.into_values().collect())
    }

    fn profile(&self, name: &str, table: &DeTable<'_>) -> Result<Profile, Wrong> {
        let mut profile = Profile { name: name.to_owned(), values: Vec::new(), secret: None };
        let place = |at| {
            let (profile, file) = (name.to_owned(), self.file.to_owned());
            Place { profile, file, line: self.line(at) }
        };
        for (key, value) in table {
            let at = key.span().start;
            let known = KEYS.iter().find(|(known, _)| known == key.get_ref());
            match (key.get_ref().as_ref(), known) {
                ("secret", _) => profile.secret = Some((self.secret(value)?, place(at))),
                (_, Some((key, kind))) => {
                    let value = self.value(key, *kind, value)?;
                    profile.values.push(Value { key, value, place: place(at) });
                }
                (key, None) if SECRETS.contains(&key) => return Err(self.misplaced(at)),
                (_, None) => {
                    let names = KEYS.iter().map(|(name, _)| *name).chain(["secret"]);
                    return Err(self.unknown(key, names, "see `imts config --help` for the keys"));
                }
            }
        }
        Ok(profile)
    }

    /// Returns a setting's value in the form that its option takes.
    fn value(
        &self,
        key: &str,
        kind: Kind,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<OsString, Wrong> {
        let at = value.span().start;
        let wants = |what| Err(self.wrong(at, format!("`{key}` must be {what}")));
        match (kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) => Ok(text.as_ref().into()),
            (Kind::Path, DeValue::String(text)) => Ok(self.beside(key, text, at)?.into()),
            (Kind::Store, DeValue::String(text)) => match text.strip_prefix("file:") {
                None => Ok(text.as_ref().into()),
                Some(path) => {
                    let mut value = OsString::from("file:");
                    value.push(self.beside(key, path, at)?);
                    Ok(value)
                }
            },
            (Kind::PathOrUrl, DeValue::String(text)) if text.contains("://") => {
                Ok(text.as_ref().into())
            }
            (Kind::PathOrUrl, DeValue::String(text)) => Ok(self.beside(key, text, at)?.into()),
            (Kind::TextOrPath, DeValue::String(text)) => match text.strip_prefix('@') {
                None if text.contains('@') => Err(self.wrong(
                    at,
                    format!(
                        "`{key}` has a user name or a password, which must not stand in this file: \
                         write the URL into a file of its own and give {key} = \"@PATH\""
                    ),
                )),
                None => Ok(text.as_ref().into()),
                Some(path) => {
                    let mut value = OsString::from("@");
                    value.push(self.beside(key, path, at)?);
                    Ok(value)
                }
            },
            (Kind::Switch, DeValue::Boolean(is_on)) => Ok(is_on.to_string().into()),
            (Kind::Number, DeValue::Integer(number)) if number.radix() == 10 => {
                Ok(number.as_str().into())
            }
            (Kind::Switch, _) => wants("true or false"),
            (Kind::Number, _) => wants("a whole number"),
            _ => wants("a text in quotes"),
        }
    }

    fn secret(&self, value: &Spanned<DeValue<'_>>) -> Result<SecretFrom, Wrong> {
        let at = value.span().start;
        let DeValue::Table(table) = value.get_ref() else { return Err(self.misplaced(at)) };
        let mut sources = table.iter();
        let (Some((key, value)), None) = (sources.next(), sources.next()) else {
            return Err(self.wrong(at, "`secret` must name one source".to_owned()));
        };
        let at = value.span().start;
        let names = ["file", "variable", "command", "keyring"];
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("file", DeValue::String(path)) => {
                Ok(SecretFrom::File(self.beside("secret.file", path, at)?))
            }
            ("variable", DeValue::String(name)) if is_variable(name) => {
                Ok(SecretFrom::Variable(name.as_ref().to_owned()))
            }
            ("command", DeValue::Array(words)) => {
                let word = |word: &Spanned<DeValue<'_>>| Some(word.get_ref().as_str()?.to_owned());
                match words.iter().map(word).collect::<Option<Vec<_>>>() {
                    Some(words) if words.first().is_some_and(|it| !it.is_empty()) => {
                        Ok(SecretFrom::Command(words))
                    }
                    _ => Err(self.wrong(at, COMMAND.to_owned())),
                }
            }
            ("keyring", DeValue::Table(entry)) => self.keyring(entry, at),
            ("file", _) => Err(self.wrong(at, "`secret.file` must be a text in quotes".to_owned())),
            ("variable", _) => {
                Err(self.wrong(at, "`secret.variable` must be the name of a variable".to_owned()))
            }
            ("command", _) => Err(self.wrong(at, COMMAND.to_owned())),
            ("keyring", _) => Err(self.wrong(at, KEYRING.to_owned())),
            _ => Err(self.unknown(
                key,
                names.into_iter(),
                "`secret` has one of `file`, `variable`, `command` and `keyring`",
            )),
        }
    }

    fn keyring(&self, entry: &DeTable<'_>, at: usize) -> Result<SecretFrom, Wrong> {
        let (mut service, mut user) = (None, None);
        for (key, value) in entry {
            let part = match key.get_ref().as_ref() {
                "service" => &mut service,
                "user" => &mut user,
                _ => return Err(self.unknown(key, ["service", "user"].into_iter(), KEYRING)),
            };
            *part = value.get_ref().as_str().map(str::to_owned);
        }
        match (service, user) {
            (Some(service), Some(user)) => Ok(SecretFrom::Keyring { service, user }),
            _ => Err(self.wrong(at, KEYRING.to_owned())),
        }
    }

    fn table<'t>(
        &self,
        value: &'t Spanned<DeValue<'_>>,
        what: &str,
    ) -> Result<&'t DeTable<'t>, Wrong> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong(value.span().start, format!("a table {what} must stand here"))),
        }
    }

    /// Returns a path of this file: relative to its folder, or to the user's own folder after `~/`.
    fn beside(&self, key: &str, path: &str, at: usize) -> Result<PathBuf, Wrong> {
        if path.is_empty() || path == "-" {
            return Err(self.wrong(at, format!("`{key}` must be the path of a file")));
        }
        match (path.strip_prefix("~/"), env::var_os("HOME")) {
            (Some(path), Some(home)) => Ok(Path::new(&home).join(path)),
            (Some(_), None) => {
                Err(self.wrong(at, format!("`{key}` begins with ~, but HOME is not set")))
            }
            (None, _) => Ok(self.file.parent().unwrap_or(Path::new("")).join(path)),
        }
    }

    fn misplaced(&self, at: usize) -> Wrong {
        let message = "a secret must not stand in this file: write it into a file of its own, and \
                       name that by secret = { file = \"PATH\" }; or name a variable, a command or \
                       a keychain's entry";
        self.wrong(at, message.to_owned())
    }

    fn unknown<'n>(
        &self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        names: impl Iterator<Item = &'n str>,
        hint: &str,
    ) -> Wrong {
        let shown = key.get_ref();
        let near = did_you_mean(names, shown);
        // A long key may be a secret in the wrong place.
        let is_short = shown.len() <= MAX_KEY && !shown.chars().any(char::is_control);
        let what = if is_short {
            format!("there is no key `{shown}`")
        } else {
            "there is no such key".to_owned()
        };
        let hint = if near.is_empty() { format!(": {hint}") } else { format!(".{near}") };
        let message = what + &hint;
        self.wrong(key.span().start, message)
    }

    fn wrong(&self, at: usize, message: String) -> Wrong {
        Wrong { line: self.line(at), message }
    }

    /// The line of a byte, counted from 1.
    fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

const COMMAND: &str = "`secret.command` must be a list of texts: the program, then its arguments";
const KEYRING: &str = "`secret.keyring` must have `service` and `user`, each a text in quotes";
