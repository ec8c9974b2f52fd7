//! `imts operations`.

use std::path::PathBuf;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(after_long_help = "\
The class says what may be repeated: `read` changes nothing; `create` and `money` are sent again only \
where it is known that they were not processed. The evidence says how surely an operation is known: \
published, draft, assumed, or unknown. Nothing unknown is invented: a path that is not known is yours to \
give, from the vendor's page, in a contract file:

  version = 1

  [operation.confirm]                     # one of the list: its class is fixed
  path = \"/v5/partner/transfer/example\"
  evidence = \"published\"                  # or draft, or assumed (the default)
  [operation.confirm.decided_before_processing]   # optional
  statuses = [429]                        # with these nothing was processed,
  codes = [\"1001\", 42]                    # nor with these error codes

  [operation.daily-report]                # one of your own: it needs a class
  path = \"/v5/partner/transfer/report\"
  class = \"read\"                          # or create, or money
  reply_limit = 1048576                   # bytes of a reply; 65536 if it is left out")]
pub(crate) struct Operations {
    /// A contract file (TOML), whose operations and paths are listed too.
    #[arg(long, value_name = "FILE")]
    pub(crate) contract: Option<PathBuf>,

    /// Print one JSON array of objects with `name`, `class`, `evidence` and `path` (null where it is
    /// not known).
    #[arg(long)]
    pub(crate) json: bool,
}
