//! `pg_sig`: the signature in a message of the Merchant API and of the Gateway's synchronous API.
//!
//! Owns the recipe: MD5 over the script's name, the values in the order of their names, and the
//! key, joined with `;`. The recipe is published. How it treats nested values is shown by a printed
//! sample only, so a message on which the readings of that sample disagree is not sent.
//!
//! The recipe does not bind a value to its name, nor does it mark where a value ends. The same
//! signature fits other messages: see [`VerifiedFields::has_only`]. So ask the service for the
//! status before you act on a callback.

mod error;
mod fields;
mod flatten;
mod form;
mod json;
mod object;
mod own_urls;
mod script;
mod signed;
mod xml;

use ctutils::CtEq;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::key::{KeyError, KeyText};

pub use self::error::{FieldError, PgReadError, PgSignError, PgVerifyError, ScriptError};
pub use self::fields::{PgFields, PgValue};
pub(crate) use self::object::AsObject;
pub use self::own_urls::{OwnUrl, OwnUrlError, OwnUrls};
pub use self::script::Script;
pub use self::signed::{Salt, SaltError, SignedFields, VerifiedFields, XmlRoot};
pub use crate::account::Account;

/// The merchant's key for accepting payments.
///
/// It is wiped from memory on drop, and no output shows it. It is a type of its own, so that it
/// cannot be used in place of the key for payouts.
#[derive(Debug)]
pub struct AcceptingKey(KeyText);

impl AcceptingKey {
    /// Takes a key as the vendor gives it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is not one line that has only what its reader sees.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        KeyText::new(key).map(Self)
    }
}

/// The merchant's key for payouts.
///
/// It is wiped from memory on drop, and no output shows it.
#[derive(Debug)]
pub struct PayoutKey(KeyText);

impl PayoutKey {
    /// Takes a key as the vendor gives it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is not one line that has only what its reader sees.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        KeyText::new(key).map(Self)
    }
}

/// Signs and verifies the messages of one merchant.
///
/// ```
/// use imts_core::sign::pg_sig::{AcceptingKey, Account, PgFields, PgSigner, Salt, Script};
///
/// let signer = PgSigner::new().with_accepting(AcceptingKey::new("secret")?);
/// let script = Script::of("https://api.freedompay.kz/init_payment.php")?;
/// let fields = PgFields::new()
///     .with("pg_order_id", "23")
///     .with("pg_merchant_id", "123456")
///     .with("pg_amount", "25")
///     .with("pg_description", "test");
/// let signed = signer.sign(Account::Accepting, &script, fields, &Salt::new("molbulak")?)?;
/// assert_eq!(signed.pg_sig(), "f6a3253881d88e447fa32402c086a2bf");
///
/// let body = signed.to_form(); // send these bytes
/// let received = PgFields::from_form(body.as_ref())?;
/// let verified = signer.verify(Account::Accepting, &script, received)?;
/// assert_eq!(verified.text("pg_amount")?, "25");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct PgSigner {
    accepting: Option<AcceptingKey>,
    payouts: Option<PayoutKey>,
}

impl PgSigner {
    /// Makes a signer without keys. Add at least one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the key for accepting payments.
    #[must_use]
    pub fn with_accepting(self, key: AcceptingKey) -> Self {
        Self { accepting: Some(key), ..self }
    }

    /// Adds the key for payouts.
    #[must_use]
    pub fn with_payouts(self, key: PayoutKey) -> Self {
        Self { payouts: Some(key), ..self }
    }

    /// Signs a message: adds `pg_salt` and `pg_sig` to its fields.
    ///
    /// The salt must be new for each message. An answer to a callback takes the salt of the
    /// callback: that satisfies both of what is said about answers (assumed).
    ///
    /// # Errors
    ///
    /// [`PgSignError`] if there is no key for this account; if the readings of the recipe disagree
    /// on this message; or if a field is empty, stands in the message twice, or has a name that
    /// the service could read otherwise.
    pub fn sign(
        &self,
        account: Account,
        script: &Script,
        fields: PgFields,
        salt: &Salt,
    ) -> Result<SignedFields, PgSignError> {
        let key = self.key(account).ok_or(PgSignError::NoKey { account })?;
        for name in [PG_SALT, PG_SIG] {
            if fields.has(name) {
                return Err(PgSignError::Reserved { name });
            }
        }
        let fields = fields.with(PG_SALT, salt.as_str());
        fields.check_sendable()?;
        flatten::check_readings_agree(&fields)?;
        let hex = to_hex(digest(script, &flatten::by_sample(&fields), key));
        Ok(SignedFields::new(fields.with(PG_SIG, hex.as_str())))
    }

    /// Verifies a message that came in: a reply, or a callback.
    ///
    /// The script of a reply is that of the URL that was called (assumed). The script of a callback
    /// is that of your own URL, as it is configured and not as the request claims ([`OwnUrls`]).
    /// Each field that came is signed, known or not. Empty values are kept, and nothing is trimmed.
    /// The comparison takes constant time.
    ///
    /// # Errors
    ///
    /// [`PgVerifyError`] says what does not hold, and has no expected signature.
    pub fn verify(
        &self,
        account: Account,
        script: &Script,
        mut fields: PgFields,
    ) -> Result<VerifiedFields, PgVerifyError> {
        let key = self.key(account).ok_or(PgVerifyError::NoKey { account })?;
        if !fields.has(PG_SIG) {
            let is_unknown_merchant = !fields.has(PG_SALT) && fields.is_text(ERROR_CODE, "9998");
            return Err(if is_unknown_merchant {
                PgVerifyError::MerchantUnknown
            } else {
                PgVerifyError::NoSignature
            });
        }
        let signature = match fields.take(PG_SIG).as_slice() {
            [one] => one.as_text().and_then(from_hex).ok_or(PgVerifyError::Malformed)?,
            _ => return Err(PgVerifyError::Repeated),
        };
        let expected = digest(script, &flatten::by_sample(&fields), key);
        if expected.ct_eq(&signature).to_bool() {
            Ok(VerifiedFields::new(fields))
        } else {
            Err(PgVerifyError::Signature)
        }
    }

    /// Whether there is a key for this account.
    #[cfg(feature = "callback")]
    pub(crate) fn has_key(&self, account: Account) -> bool {
        self.key(account).is_some()
    }

    fn key(&self, account: Account) -> Option<&KeyText> {
        match account {
            Account::Accepting => self.accepting.as_ref().map(|AcceptingKey(key)| key),
            Account::Payouts => self.payouts.as_ref().map(|PayoutKey(key)| key),
        }
    }
}

/// The MD5 of the string to sign. The string is never put together: its parts are taken in one
/// after the other.
fn digest(script: &Script, values: &[&str], key: &KeyText) -> [u8; DIGEST] {
    let mut md5 = Md5::new();
    if let Some(name) = script.name() {
        md5.update(name.as_bytes());
        md5.update(b";");
    }
    for value in values {
        md5.update(value.as_bytes());
        md5.update(b";");
    }
    md5.update(key.as_bytes());
    md5.finalize().into()
}

/// Lower-case hex.
fn to_hex(digest: [u8; DIGEST]) -> Zeroizing<String> {
    let digits = digest.iter().flat_map(|byte| [byte.wrapping_shr(4), byte & 15]);
    let digit = |half| char::from_digit(u32::from(half), 16).unwrap_or_default();
    Zeroizing::new(digits.map(digit).collect())
}

/// The bytes of exactly 32 lower-case hex digits.
fn from_hex(text: &str) -> Option<[u8; DIGEST]> {
    let mut digest = [0; DIGEST];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != DIGEST || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = half(*high)?.wrapping_shl(4) | half(*low)?;
    }
    Some(digest)
}

fn half(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a').and_then(|above| above.checked_add(10)),
        _ => None,
    }
}

/// The length of an MD5, in bytes.
const DIGEST: usize = 16;

const PG_SALT: &str = "pg_salt";
const PG_SIG: &str = "pg_sig";
const ERROR_CODE: &str = "pg_error_code";
