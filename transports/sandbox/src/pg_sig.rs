//! The signature of the vendor's form messages, as the sandbox reads the pages.
//!
//! Owns the recipe over a flat list of fields: MD5 over the script's name, the values in the order of
//! their names, and the key, joined with `;` (published). Does not know how fields are nested, nor how
//! a message is carried.

use md5::{Digest, Md5};

/// The field that holds the signature. It is not signed itself.
pub(crate) const SIG: &str = "pg_sig";
/// The field that holds the salt.
pub(crate) const SALT: &str = "pg_salt";

/// The fields of a message in their order, each with its name.
pub(crate) type Fields = Vec<(String, String)>;

/// Returns the name of the script in a URL or a path: what follows the last `/`, up to `?` or the end
/// (published).
pub(crate) fn script(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// Returns the signature: 32 lower-case hexadecimal digits. Fields of one name keep their order. A
/// signature among the fields is left out.
pub(crate) fn signature(script: &str, fields: &[(String, String)], key: &str) -> String {
    digest(Some(script), fields, key)
}

/// Returns the signature without the script's name and without its semicolon, as one integrator claims
/// it for two replies.
pub(crate) fn signature_without_script(fields: &[(String, String)], key: &str) -> String {
    digest(None, fields, key)
}

fn digest(script: Option<&str>, fields: &[(String, String)], key: &str) -> String {
    let mut signed: Vec<_> = fields.iter().filter(|(name, _)| name != SIG).collect();
    signed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let values = signed.into_iter().map(|(_, value)| value.as_str());
    let parts: Vec<&str> = script.into_iter().chain(values).chain([key]).collect();
    Md5::digest(parts.join(";")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds the signature as the last field. One that is there already goes.
pub(crate) fn sign(script: &str, fields: &mut Fields, key: &str) {
    fields.retain(|(name, _)| name != SIG);
    let signature = signature(script, fields, key);
    fields.push((SIG.to_owned(), signature));
}

/// Returns whether the message has exactly one signature, and it is the right one.
pub(crate) fn is_signed(script: &str, fields: &[(String, String)], key: &str) -> bool {
    let mut signatures = fields.iter().filter(|(name, _)| name == SIG);
    match (signatures.next(), signatures.next()) {
        (Some((_, found)), None) => *found == signature(script, fields, key),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The page prints the string `init_payment.php;25;test;MERCHANT;23;molbulak;SECRET`. The hash was
    /// computed from it with OpenSSL.
    #[test]
    fn the_printed_string_has_its_signature() {
        let mut message = fields(&[
            ("pg_order_id", "23"),
            ("pg_merchant_id", "123456"),
            ("pg_amount", "25"),
            ("pg_description", "test"),
            ("pg_salt", "molbulak"),
        ]);
        sign("init_payment.php", &mut message, "secret");
        assert_eq!(message[5].1, "f6a3253881d88e447fa32402c086a2bf");
        assert!(is_signed("init_payment.php", &message, "secret"));
        assert!(!is_signed("init_payment", &message, "secret"));
        assert!(!is_signed("init_payment.php", &message, "secret2"));
        message.push(message[5].clone());
        assert!(!is_signed("init_payment.php", &message, "secret"), "two signatures");
    }

    #[test]
    fn the_script_is_the_last_segment_without_its_query() {
        for (url, name) in [
            ("https://api.example/init_payment.php?a=1/2", "init_payment.php"),
            ("/v1/merchant/123/card/init", "init"),
            ("http://127.0.0.1:8080/pay/result#top", "result"),
            ("http://127.0.0.1:8080/", ""),
        ] {
            assert_eq!(script(url), name, "{url}");
        }
    }
}
