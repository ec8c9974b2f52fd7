//! `imts completions` and `imts man`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts completions bash",
    after_long_help = "\
The script asks `imts` for what can come next, so operations are completed too: also those of the file that \
--service-file names on the line. Write the script anew after an update of imts.

  bash        imts completions bash >~/.local/share/bash-completion/completions/imts
  zsh         imts completions zsh >DIR/_imts, for a folder DIR of $fpath, before compinit
  fish        imts completions fish >~/.config/fish/completions/imts.fish
  PowerShell  imts completions powershell | Out-String | Invoke-Expression, in $PROFILE

Exit codes: 0 printed; 2 usage."
)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// The shells that a script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    Pwsh,
}

impl Shell {
    /// Returns the name by which the library of completions knows the shell.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Pwsh => "powershell",
        }
    }
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts man .",
    after_long_help = "\
It writes imts.1, and a page for each command, such as imts-call.1. Files of these names are replaced. To \
read one: man ./imts-call.1

Exit codes: 0 written; 2 usage."
)]
pub(crate) struct Man {
    /// The folder to write into. It must exist.
    pub(crate) folder: PathBuf,
}
