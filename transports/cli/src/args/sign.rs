//! `imts sign` and `imts verify`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::Line;
use super::value::{path, switch};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts sign jws --url URL --party ID --key-file key.txt -d @body.json"
)]
pub(crate) struct Sign {
    #[command(subcommand)]
    pub(crate) command: SignCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SignCommand {
    /// Sign a request of a v5 API: print the header with the detached JWS.
    Jws(SignJws),
    /// Sign a message of the Merchant or Gateway API: print it with pg_salt and pg_sig.
    PgSig(SignPgSig),
}

#[derive(Debug, Parser)]
#[command(before_help = "Example: imts verify pg-sig --url URL --key-file key.txt -d @callback")]
pub(crate) struct Verify {
    #[command(subcommand)]
    pub(crate) command: VerifyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// Verify the detached JWS of a request, and explain a mismatch.
    Jws(VerifyJws),
    /// Verify the pg_sig of a reply or a callback, and explain a mismatch.
    PgSig(VerifyPgSig),
}

impl SignCommand {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Jws(args) => args.request.json,
            Self::PgSig(args) => args.message.json,
        }
    }
}

impl VerifyCommand {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Jws(args) => args.request.json,
            Self::PgSig(args) => args.message.json,
        }
    }
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts sign jws --url URL --party ID --key-file key.txt -d @body.json",
    after_long_help = "\
The body is signed as its bytes are, so send the same bytes:

  imts sign jws --url URL --party ID -d @body.json |
    curl -H @- --data-binary @body.json URL

The key is read from --key-file or the variable IMTS_KEY. It is never an argument, because other users \
of the machine could read it. Nothing is sent.

Exit codes: 0 signed; 2 usage."
)]
pub(crate) struct SignJws {
    #[command(flatten)]
    pub(crate) request: JwsArgs,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts verify jws --url URL --party ID -d @body.json --signature @token",
    after_long_help = "\
The URL, the method and the body are those of the request that came. If the signature does not fit, the \
command says what the token claims, and tries some mistakes that are often made. It never prints the \
signature that it expected, and it never accepts a signature that only a mistake explains.

The key is read from --key-file or the variable IMTS_KEY. Nothing is sent.

Exit codes: 0 the signature fits; 2 usage; 13 it does not fit."
)]
pub(crate) struct VerifyJws {
    #[command(flatten)]
    pub(crate) request: JwsArgs,

    /// The value of X-JWS-Signature; @FILE reads a file, - stdin.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) signature: String,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts sign pg-sig --url URL -d pg_merchant_id=123456 -d pg_amount=25",
    after_long_help = "\
The script is the last part of the URL's path. A message that readers of the vendor's recipe sign in \
different ways is refused, and so is an empty field. What is printed is the whole message, to be sent as \
it is.

The key is read from --key-file or the variable IMTS_KEY. Nothing is sent.

Exit codes: 0 signed; 2 usage."
)]
pub(crate) struct SignPgSig {
    #[command(flatten)]
    pub(crate) message: PgArgs,

    /// The fields: one JSON object, or one field each time.
    ///
    /// As for `imts call`: KEY=TEXT, KEY:=JSON, KEY=@FILE; or the whole object, @FILE, or - for stdin.
    #[arg(short, long, value_name = "KEY=TEXT|JSON|@FILE|-", required = true)]
    pub(crate) data: Vec<String>,

    /// The salt, for an answer to a callback: that of the callback. Without it, it is random.
    #[arg(long, value_name = "TEXT")]
    pub(crate) salt: Option<Line>,

    /// The form in which the message is printed.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) to: MessageForm,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts verify pg-sig --url URL --key-file key.txt -d @callback",
    after_long_help = "\
Give the URL whose script was signed: for a callback your own URL as you configured it, for a reply the \
URL that was called. If the signature does not fit, the command says which script and which fields were \
used, and tries some mistakes that are often made. It never prints a value, nor the signature that it \
expected, and it never accepts a signature that only a mistake explains.

The key is read from --key-file or the variable IMTS_KEY. Nothing is sent.

Exit codes: 0 the signature fits; 2 usage; 13 it does not fit."
)]
pub(crate) struct VerifyPgSig {
    #[command(flatten)]
    pub(crate) message: PgArgs,

    /// The message as it came: a form or a query, JSON or XML; @FILE reads a file, - stdin.
    #[arg(short, long, value_name = "TEXT|@FILE|-")]
    pub(crate) data: String,
}

/// The request that has a detached JWS, and the key.
#[derive(Debug, Args)]
pub(crate) struct JwsArgs {
    /// The URL that is called. Only its path is signed.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Line,

    /// The method that is called.
    #[arg(long, default_value = "POST", value_name = "METHOD")]
    pub(crate) method: Line,

    /// The partner's id (auth_id) or the merchant's id.
    #[arg(long, env = "IMTS_PARTY", value_name = "ID")]
    pub(crate) party: Line,

    /// The form of the signed header: see the API's page.
    #[arg(long, env = "IMTS_FORM", value_enum, default_value_t)]
    pub(crate) form: HeaderForm,

    /// The algorithm that the API's page names.
    #[arg(long, env = "IMTS_ALGORITHM", value_enum, default_value_t, value_name = "NAME")]
    pub(crate) algorithm: AlgorithmName,

    /// The body; @FILE reads a file, - stdin. Its bytes are signed as they are.
    #[arg(short, long, default_value = "", hide_default_value = true, value_name = "TEXT|@FILE|-")]
    pub(crate) data: String,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Print one JSON object.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

/// What each message with a `pg_sig` needs.
#[derive(Debug, Args)]
pub(crate) struct PgArgs {
    /// The URL whose last part is the script.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Line,

    /// Which of the merchant's two keys it is.
    #[arg(long, env = "IMTS_ACCOUNT", value_enum, default_value_t)]
    pub(crate) account: AccountName,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Print one JSON object.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

/// Where the key comes from.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// A file with the key; `-` reads it from stdin. Without this option, it is read from IMTS_KEY.
    #[arg(long, env = "IMTS_KEY_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) key_file: Option<PathBuf>,
}

/// The forms of the signed header that the vendor's pages print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum HeaderForm {
    /// uri, auth_id, method, params, alg: most APIs.
    #[default]
    Partner,
    /// alg, typ, auth_id, uri, method, params: the newer Card API.
    PartnerTyp,
    /// path, merchant_id as a number, method, params, alg: Merchant Invoice.
    Merchant,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlgorithmName {
    /// HMAC with SHA-256.
    #[default]
    Hs256,
    /// HMAC with SHA-512.
    Hs512,
}

/// The merchant's keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccountName {
    /// The key for accepting payments.
    #[default]
    Accepting,
    /// The key for payouts.
    Payouts,
}

/// The forms of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageForm {
    /// Urlencoded pairs.
    #[default]
    Form,
    /// A JSON object.
    Json,
    /// XML in `<request>`.
    Request,
    /// XML in `<response>`: an answer to a callback.
    Response,
}
