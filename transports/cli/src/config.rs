//! From options, variables and a profile to settings, and `imts config`.
//!
//! Owns which of them comes first: an option, then its variable, then the profile that is named, then
//! the default. A profile's values become the defaults of the options, so that clap decides, and
//! reads them as it reads an option. Does not know what a setting is for.

mod check;
mod file;
mod keychain;
mod place;
mod profile;
mod secret;
mod show;
mod trust;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

pub(crate) use self::place::Place;
pub(crate) use self::profile::Chosen;
pub(crate) use self::profile::KEYS;
use self::profile::{Origin, Profile, Setting, Value};
pub(crate) use self::secret::{MAX_SECRET, SecretFrom};
use crate::args::{self, Args, ConfigCommand, Line};
use crate::failure::Failure;
use crate::interrupt;

/// Why a command line is not carried out.
pub(crate) enum NotRead {
    /// A mistake on it, or a help text that was asked for.
    Mistake(Box<clap::Error>),
    /// The profile cannot be used.
    Profile(Failure),
}

/// Reads the command line of this process, with the profile that it names.
pub(crate) fn args() -> Result<Args, NotRead> {
    let command = args::command();
    let mut matches = command.clone().try_get_matches()?;
    let profile = match named(leaf(&matches)) {
        None => None,
        Some((name, origin)) => {
            let profile = file::profile(&name)?;
            check_values(&profile)?;
            matches = with_defaults(command, &path(&matches), &profile).try_get_matches()?;
            Some((profile, origin))
        }
    };
    let settings = settings(leaf(&matches), profile.as_ref().map(|(profile, _)| profile));
    let is_secret_file_given =
        source(leaf(&matches), "secret_file") == Some(ValueSource::CommandLine);
    let mut args = Args::from_arg_matches(&matches)?;
    if let Some(service) = args.command.service_mut() {
        service.chosen = Chosen { profile, settings, is_secret_file_given };
    }
    Ok(args)
}

/// Runs `imts config`.
pub(crate) fn run(command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show(args) => show::run(&args.settings),
        ConfigCommand::List(args) => show::list(args.json),
        ConfigCommand::Check(args) => {
            interrupt::ending("all checks were made", move |stop| check::run(&args.settings, stop))
        }
    }
}

/// The matches of the command that is run: of the last subcommand.
fn leaf(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, below)| leaf(below))
}

/// The names of the subcommands that lead to the command that is run.
fn path(matches: &ArgMatches) -> Vec<String> {
    let below = matches.subcommand().map(|(name, below)| (name.to_owned(), path(below)));
    below.map_or(Vec::new(), |(name, below)| [vec![name], below].concat())
}

/// Returns the name of the profile, and where the name comes from.
fn named(matches: &ArgMatches) -> Option<(String, Origin)> {
    let name = matches.try_get_one::<Line>("profile").ok().flatten()?;
    Some((name.0.clone(), origin(matches, "profile", None)))
}

fn source(matches: &ArgMatches, key: &str) -> Option<ValueSource> {
    // A command need not have the option, and asking for another one's source is a bug to clap.
    matches.try_contains_id(key).ok().and_then(|_| matches.value_source(key))
}

/// Returns the command with the profile's values as defaults of one subcommand's options.
fn with_defaults(command: clap::Command, path: &[String], profile: &Profile) -> clap::Command {
    if let Some((name, below)) = path.split_first() {
        return command.mut_subcommand(name, |it| with_defaults(it, below, profile));
    }
    command.mut_args(|arg| match profile.values.iter().find(|it| arg.get_id() == it.key) {
        Some(Value { value, .. }) => arg.default_value(value.clone()),
        None => arg,
    })
}

/// Reads each value of a profile as its option would read it, also if this command has no such
/// option. An error names the line.
fn check_values(profile: &Profile) -> Result<(), Failure> {
    let command = args::command();
    let all = command.find_subcommand("config").and_then(|it| it.find_subcommand("show"));
    for Value { key, value, place } in &profile.values {
        let arg = all.and_then(|all| all.get_arguments().find(|arg| arg.get_id() == key));
        // What is given or not is checked already: it is `true` or `false`.
        let Some(arg) = arg.filter(|arg| arg.get_action().takes_values()) else { continue };
        let option = arg.get_long().map_or(String::new(), |long| format!("--{long}"));
        let mut words = std::ffi::OsString::from(format!("{option}="));
        words.push(value);
        let alone = clap::Command::new("imts").no_binary_name(true).arg(arg.clone());
        if let Err(error) = alone.try_get_matches_from([words]) {
            let text = error.render().to_string().replace(&option, key);
            let text = text.split("\n\nFor more information").next().unwrap_or_default();
            let text = text.trim_start_matches("error:").trim();
            return Err(Failure::usage(format!("{place}: {text}")));
        }
    }
    Ok(())
}

/// Returns where an option's value comes from.
fn origin(matches: &ArgMatches, key: &str, profile: Option<&Profile>) -> Origin {
    let name = key.replace('_', "-");
    let place = || profile?.values.iter().find(|it| it.key == key).map(|it| it.place.clone());
    match source(matches, key) {
        Some(ValueSource::CommandLine) => Origin::Option(name),
        Some(ValueSource::EnvVariable) => Origin::Variable(variable(&name)),
        _ => place().map_or(Origin::Default, Origin::Profile),
    }
}

/// Returns the name of an option's variable.
fn variable(option: &str) -> String {
    format!("IMTS_{}", option.replace('-', "_").to_uppercase())
}

/// Returns the settings as they are used, in the order of the keys.
fn settings(matches: &ArgMatches, profile: Option<&Profile>) -> Vec<Setting> {
    let has = |key: &str| matches.try_contains_id(key).is_ok();
    let settings = KEYS.iter().filter(|(key, _)| has(key)).map(|(key, _)| {
        let raw = matches.get_raw(key).and_then(|mut values| values.next());
        let value = raw.map(|value| value.to_string_lossy().into_owned());
        Setting { key, value, origin: origin(matches, key, profile) }
    });
    settings.collect()
}

impl From<clap::Error> for NotRead {
    fn from(error: clap::Error) -> Self {
        Self::Mistake(Box::new(error))
    }
}

impl From<Failure> for NotRead {
    fn from(failure: Failure) -> Self {
        Self::Profile(failure)
    }
}

/// The names of all profiles, to choose one from. If the file cannot be used, there are none.
pub(crate) fn profile_names() -> Vec<String> {
    let profiles = file::path().and_then(|path| file::read(&path)).unwrap_or_default();
    profiles.into_iter().map(|profile| profile.name).collect()
}
