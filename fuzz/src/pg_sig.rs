//! A message: fields that are signed, or bytes that are read.
//!
//! An input that begins with `f`, `j` or `x` is a message as a form, as JSON or as XML. It is read,
//! signed by rules that share nothing with the client's, and must then verify. With one value
//! changed, it must not.
//!
//! An input that begins with `=` describes fields, one a line: `NAME=TEXT` a text, `#NAME=DIGITS`
//! an integer, `+NAME` opens fields, `*NAME` opens a list, `-` closes either. In a list, the names
//! are ignored. The fields are signed. A second opinion says whether they may be, and with which
//! signature. What is signed is written in each form, read again, and verified.

mod tree;

use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PgFields, PgReadError, PgSignError, PgSigner, PgValue, PgVerifyError,
    Salt, Script, XmlRoot,
};
use md5::{Digest, Md5};

use self::tree::{Tree, readings};
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target =
    Target { name: "pg_sig", goal: "a signed message that is read again", run };

const KEY: &str = "fuzz-key-for-accepting";
const SALT: &str = "fuzzsalt";

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    match data.split_first() {
        Some((b'=', lines)) => Ran { structured: true, deepest: signs(lines) },
        Some((form, message)) => {
            reads(*form, message);
            Ran { structured: false, deepest: false }
        }
        None => Ran { structured: false, deepest: false },
    }
}

fn signer() -> PgSigner {
    PgSigner::new().with_accepting(AcceptingKey::new(KEY).expect("a key"))
}

fn script() -> Script {
    Script::of("https://shop.example/pay/result").expect("a script")
}

/// The signature of these values, by this module's own rules.
fn signature(values: &[&str]) -> String {
    let all = [&["result"], values, &[KEY]].concat().join(";");
    Md5::digest(all).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs the fields that some lines describe. Returns whether they were signed and read again.
fn signs(lines: &[u8]) -> bool {
    let text = String::from_utf8_lossy(lines);
    let tree = Tree::of_lines(&mut text.lines(), 0);
    let fields = tree.fields();
    let salted = tree.with("pg_salt", SALT);
    let salt = Salt::new(SALT).expect("a salt");
    let signed = signer().sign(Account::Accepting, &script(), fields, &salt);
    let [sample, others @ ..] = readings(&salted);
    let agree = others.iter().all(|other| *other == sample);
    let reserved = ["pg_salt", "pg_sig"].iter().any(|name| tree.has(name));
    let sendable = !reserved && salted.is_sendable();
    let signed = match signed {
        Ok(signed) => signed,
        Err(error) => {
            assert!(!(sendable && agree), "refused without a reason: {error}");
            assert_eq!(matches!(error, PgSignError::Ambiguous), sendable, "{error}");
            let shown = error.to_string();
            assert!(shown.chars().count() < 400, "{shown}");
            // A field's own name is shown, and may be any text.
            assert!(text.contains(KEY) || !shown.contains(KEY), "{shown}");
            return false;
        }
    };
    assert!(sendable, "what a reader may take otherwise is signed");
    assert!(agree, "the readings disagree, and it is signed");
    assert_eq!(signed.pg_sig(), signature(&sample));
    let whole = salted.with("pg_sig", signed.pg_sig());
    let form = signed.to_form();
    is_read_as(&whole, PgFields::from_form(form.as_ref()));
    let json = signed.to_json().expect("each message is JSON");
    is_read_as(&whole, PgFields::from_json(json.as_ref()));
    match signed.to_xml(XmlRoot::Response) {
        Ok(xml) => is_read_as(&whole, PgFields::from_xml(xml.as_ref())),
        Err(error) => assert!(!whole.is_xml(), "not written: {error}"),
    }
    true
}

/// What was written is read as what it was, and verifies.
fn is_read_as(tree: &Tree, read: Result<PgFields, PgReadError>) {
    let read = match read {
        Ok(read) => read,
        // Escapes may make a message longer than what is read.
        Err(error) => return assert_eq!(error, PgReadError::TooLarge),
    };
    assert_eq!(Tree::of(&PgValue::from(read.clone())), tree.plain());
    let verified = signer().verify(Account::Accepting, &script(), read);
    assert!(verified.is_ok(), "{verified:?}");
}

/// Reads a message in one of its forms, and verifies it with a signature of its own.
fn reads(form: u8, message: &[u8]) {
    let read = match form {
        b'f' => PgFields::from_form(message),
        b'j' => PgFields::from_json(message),
        b'x' => PgFields::from_xml(message),
        _ => return,
    };
    let fields = match read {
        Ok(fields) => fields,
        Err(error) => return assert!(error.to_string().len() < 200, "{error}"),
    };
    let tree = Tree::of(&PgValue::from(fields.clone()));
    assert!(tree.depth() <= 9 && tree.count() <= 10_000, "more than the limits");
    let verify = |fields: PgFields| signer().verify(Account::Accepting, &script(), fields);
    if tree.has("pg_sig") {
        return assert!(verify(fields).is_err(), "a signature was guessed");
    }
    let unsigned = verify(fields.clone()).expect_err("it is not signed");
    let is_no_signature =
        matches!(unsigned, PgVerifyError::NoSignature | PgVerifyError::MerchantUnknown);
    assert!(is_no_signature, "{unsigned}");
    let [sample, ..] = readings(&tree);
    let right = signature(&sample);
    let verified = verify(fields.clone().with("pg_sig", right.as_str())).expect("it is signed");
    assert_eq!(verified.has_separator(), sample.iter().any(|value| value.contains(';')));
    let names: Vec<_> = verified.iter().map(|(name, _)| name).collect();
    assert!(verified.has_only(&names));
    let more = fields.with("zz", "1").with("pg_sig", right);
    assert_eq!(verify(more).err(), Some(PgVerifyError::Signature), "a value more");
}
