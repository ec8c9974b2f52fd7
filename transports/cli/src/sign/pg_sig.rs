//! A message with `pg_sig`: its fields, and its signer.

use imts::sign::pg_sig::{
    AcceptingKey, Account, PayoutKey, PgFields, PgSigner, Salt, Script, XmlRoot,
};
use rustls::crypto::ring;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{account, key};
use crate::args::{MessageForm, SignPgSig};
use crate::data::Data;
use crate::failure::Failure;

/// Signs the message, and returns what to print.
pub(super) fn signed(args: &SignPgSig) -> Result<Zeroizing<String>, Failure> {
    let data = Data::of(&args.data)?;
    let is_stdin = args.message.key.key_file.as_deref().is_some_and(|it| it.as_os_str() == "-");
    if data.reads_of_stdin() + usize::from(is_stdin) > 1 {
        return Err(Failure::usage("stdin can be read once: give the others as files"));
    }
    let account = account(args.message.account);
    let signer = pg_signer(account, &key(&args.message.key, &[])?)?;
    let script = script(&args.message.url.0)?;
    let fields = data.read()?;
    let fields = PgFields::from_json(fields.as_str().as_bytes()).map_err(Failure::usage)?;
    let signed = signer.sign(account, &script, fields, &salt(args)?).map_err(Failure::usage)?;
    let message = match args.to {
        MessageForm::Form => signed.to_form(),
        MessageForm::Json => signed.to_json().map_err(Failure::usage)?,
        MessageForm::Request => signed.to_xml(XmlRoot::Request).map_err(Failure::usage)?,
        MessageForm::Response => signed.to_xml(XmlRoot::Response).map_err(Failure::usage)?,
    };
    let message = std::str::from_utf8(message.as_ref()).map_err(Failure::usage)?;
    Ok(Zeroizing::new(match args.message.json {
        true => json!({
            "script": script.name().map_or(Value::Null, Value::from),
            "pg_sig": signed.pg_sig(),
            "message": message,
        })
        .to_string(),
        false => message.to_owned(),
    }))
}

fn salt(args: &SignPgSig) -> Result<Salt, Failure> {
    if let Some(salt) = &args.salt {
        return Salt::new(salt.0.as_str())
            .map_err(|error| Failure::usage(format!("--salt cannot be used: {error}")));
    }
    let mut random = [0; 16];
    let filled = ring::default_provider().secure_random.fill(&mut random);
    filled.map_err(|_| Failure::machine("the machine gives no random bytes for the salt"))?;
    Ok(Salt::from_random(random))
}

pub(crate) fn script(url: &str) -> Result<Script, Failure> {
    Script::of(url).map_err(|error| Failure::usage(format!("--url cannot be used: {error}")))
}

/// A signer that has this one key.
pub(crate) fn pg_signer(account: Account, key: &str) -> Result<PgSigner, Failure> {
    Ok(match account {
        Account::Accepting => {
            PgSigner::new().with_accepting(AcceptingKey::new(key).map_err(Failure::usage)?)
        }
        Account::Payouts => {
            PgSigner::new().with_payouts(PayoutKey::new(key).map_err(Failure::usage)?)
        }
    })
}
