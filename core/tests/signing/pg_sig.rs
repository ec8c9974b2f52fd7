//! The rules of `pg_sig`, one test each.

use imts_core::sign::KeyError;
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, FieldError, PayoutKey, PgFields, PgSignError, PgSigner, PgVerifyError,
    Salt, SaltError, Script,
};
use imts_core::text::TextError;

use crate::support::{flat, salt, script, signed, signer, verified};

fn signing(fields: PgFields) -> Result<String, PgSignError> {
    let signed = signer("secret").sign(Account::Accepting, &script("result"), fields, &salt());
    signed.map(|signed| signed.pg_sig().to_owned())
}

fn positions(count: usize) -> PgFields {
    let position = |at: usize| PgFields::new().with("count", "1").with("name", format!("p{at}"));
    PgFields::new().with("pg_receipt_positions", (0..count).map(position).collect::<Vec<_>>())
}

#[test]
fn ten_entries_of_a_list_are_signed_and_eleven_are_ambiguous() {
    assert!(signing(positions(10)).is_ok());
    assert_eq!(signing(positions(11)), Err(PgSignError::Ambiguous));
}

#[test]
fn entries_without_an_order_of_their_own_are_not_ambiguous() {
    // The readings sort equal values into the same string.
    let same = vec!["a"; 20];
    assert!(signing(PgFields::new().with("list", same)).is_ok());
}

#[test]
fn a_name_that_goes_on_with_a_digit_is_ambiguous() {
    let two = flat(&[("x", "-"), ("pg_param1", "a"), ("pg_param10", "b")]);
    assert_eq!(signing(two), Err(PgSignError::Ambiguous));
    assert!(signing(flat(&[("pg_param1", "a"), ("pg_param2", "b"), ("pg_param3", "c")])).is_ok());
}

#[test]
fn a_level_that_sorts_otherwise_than_its_parent_is_ambiguous() {
    // By their names on the wire `a[b]` stands behind `a0`; by the sample before it.
    let fields = PgFields::new().with("a", PgFields::new().with("b", "1")).with("a0", "2");
    assert_eq!(signing(fields), Err(PgSignError::Ambiguous));
    // By their names on the wire `aZ` stands before `a[b]`; by the other two behind it.
    let fields = PgFields::new().with("a", flat(&[("b", "1")])).with("aZ", "2");
    assert_eq!(signing(fields), Err(PgSignError::Ambiguous));
}

#[test]
fn a_message_that_can_be_read_in_two_ways_is_not_signed() {
    let name = |name: &str| PgSignError::Name { name: name.to_owned() };
    let empty = |name: &str| PgSignError::Empty { name: name.to_owned() };
    let repeated = |name: &str| PgSignError::Repeated { name: name.to_owned() };
    let nested = |fields: PgFields| PgFields::new().with("a", vec![fields]);
    for bad in ["", "1", "a.b", "a b", "a[0]", "a;b", "ж", "-a"] {
        assert_eq!(signing(flat(&[(bad, "1")])), Err(name(bad)), "{bad}");
        assert_eq!(signing(nested(flat(&[(bad, "1")]))), Err(name(bad)), "{bad}");
    }
    assert_eq!(signing(flat(&[("a", "")])), Err(empty("a")));
    assert_eq!(signing(nested(flat(&[("b", "")]))), Err(empty("b")));
    assert_eq!(signing(nested(PgFields::new())), Err(empty("a")));
    assert_eq!(signing(PgFields::new().with("a", PgFields::new())), Err(empty("a")));
    assert_eq!(signing(PgFields::new().with("a", Vec::<PgFields>::new())), Err(empty("a")));
    assert_eq!(signing(flat(&[("a", "1"), ("b", "1"), ("a", "2")])), Err(repeated("a")));
    assert_eq!(signing(nested(flat(&[("b", "1"), ("b", "1")]))), Err(repeated("b")));
    // The same name on two levels is no repetition.
    assert!(signing(nested(flat(&[("a", "1")]))).is_ok());
}

#[test]
fn salt_and_signature_are_added_by_the_signer_alone() {
    for name in ["pg_salt", "pg_sig"] {
        assert_eq!(signing(flat(&[(name, "a")])), Err(PgSignError::Reserved { name }));
    }
    let verified =
        verified(PgFields::from_form(signed(flat(&[("a", "1")])).to_form().as_ref()).unwrap());
    let verified = verified.unwrap();
    assert_eq!(verified.text("pg_salt"), Ok("molbulak"));
    assert_eq!(verified.text("pg_sig"), Err(FieldError::Missing));
}

#[test]
fn a_message_that_is_too_large_is_not_signed() {
    let many = |count: usize| {
        let names = (0..count).map(|at| format!("f{at:05}x"));
        names.fold(PgFields::new(), |fields, name| fields.with(name, "1"))
    };
    // The salt is one of 4,096.
    assert!(signing(many(4_095)).is_ok());
    assert_eq!(signing(many(4_096)), Err(PgSignError::TooLarge));
    let deep = |levels: usize| {
        (1..levels).fold(flat(&[("a", "1")]), |inner, _| PgFields::new().with("a", inner))
    };
    assert!(signing(deep(8)).is_ok());
    assert_eq!(signing(deep(9)), Err(PgSignError::TooLarge));
}

#[test]
fn an_integer_is_signed_by_its_digits() {
    let number = signing(PgFields::new().with("pg_amount", 25));
    assert_eq!(number, signing(flat(&[("pg_amount", "25")])));
    assert_eq!(signing(PgFields::new().with("a", -7)), signing(flat(&[("a", "-7")])));
}

#[test]
fn the_key_of_one_account_is_never_used_for_the_other() {
    let both = signer("secret");
    let only = PgSigner::new().with_accepting(AcceptingKey::new("secret").unwrap());
    let fields = || flat(&[("pg_order_id", "1")]);
    let sign =
        |signer: &PgSigner, account| signer.sign(account, &script("post"), fields(), &salt());
    let account = Account::Payouts;
    assert_eq!(sign(&only, account).err(), Some(PgSignError::NoKey { account }));
    let payout = PgFields::from_form(sign(&both, account).unwrap().to_form().as_ref()).unwrap();
    let verify =
        |signer: &PgSigner, account| signer.verify(account, &script("post"), payout.clone());
    assert!(verify(&both, Account::Payouts).is_ok());
    assert_eq!(verify(&both, Account::Accepting).err(), Some(PgVerifyError::Signature));
    assert_eq!(verify(&only, Account::Payouts).err(), Some(PgVerifyError::NoKey { account }));
    let only = PgSigner::new().with_payouts(PayoutKey::new("secret").unwrap());
    let account = Account::Accepting;
    assert_eq!(sign(&only, account).err(), Some(PgSignError::NoKey { account }));
    assert_eq!(verify(&only, account).err(), Some(PgVerifyError::NoKey { account }));
}

#[test]
fn one_signature_of_32_lower_case_hex_digits_must_be_there() {
    let signed = signed(flat(&[("a", "1")]));
    let signature = signed.pg_sig();
    let received = |sig: &str| flat(&[("pg_salt", "molbulak"), ("pg_sig", sig), ("a", "1")]);
    assert!(verified(received(signature)).is_ok());
    let spoilt = format!("{}g", &signature[..31]);
    let wide = format!("{}é", &signature[..30]);
    let space = format!(" {}", &signature[..31]);
    let line = format!("{signature}\n");
    for wrong in [&signature[..31], "", &spoilt, &wide, &space, &line] {
        let error = verified(received(wrong)).err();
        assert_eq!(error, Some(PgVerifyError::Malformed), "{wrong:?}");
    }
    // Each digit counts, and each place.
    for place in 0..32 {
        let mut wrong = signature.as_bytes().to_vec();
        wrong[place] = if wrong[place] == b'0' { b'1' } else { b'0' };
        let wrong = String::from_utf8(wrong).unwrap();
        assert_eq!(verified(received(&wrong)).err(), Some(PgVerifyError::Signature), "{wrong}");
    }
    let twice = received(signature).with("pg_sig", signature);
    assert_eq!(verified(twice).err(), Some(PgVerifyError::Repeated));
    let nested = flat(&[("a", "1")]).with("pg_sig", flat(&[("a", signature)]));
    assert_eq!(verified(nested).err(), Some(PgVerifyError::Malformed));
}

#[test]
fn the_one_message_that_is_not_signed_says_so() {
    let unknown = [("pg_status", "error"), ("pg_error_code", "9998")];
    assert_eq!(verified(flat(&unknown)).err(), Some(PgVerifyError::MerchantUnknown));
    let none = Some(PgVerifyError::NoSignature);
    assert_eq!(verified(flat(&unknown).with("pg_salt", "x")).err(), none);
    assert_eq!(verified(flat(&unknown).with("pg_error_code", "9998")).err(), none);
    assert_eq!(verified(flat(&[("pg_error_code", "9999")])).err(), none);
    assert_eq!(verified(flat(&[("pg_status", "ok")])).err(), none);
}

#[test]
fn a_field_is_read_only_if_it_stands_there_once() {
    let fields = PgFields::new().with("once", "1").with("twice", "1").with("nested", positions(1));
    let signed = signed(fields);
    let received = PgFields::from_form(signed.to_form().as_ref()).unwrap();
    let verified = verified(received).unwrap();
    assert_eq!(verified.text("once"), Ok("1"));
    assert_eq!(verified.text("other"), Err(FieldError::Missing));
    assert_eq!(verified.text("nested"), Err(FieldError::Nested));
}

#[test]
fn a_script_beside_the_rule_must_be_asked_for() {
    let fields = || flat(&[("pg_payment_id", "1")]);
    let signer = signer("secret");
    let sign = |script: &Script| {
        let signed = signer.sign(Account::Accepting, script, fields(), &salt()).unwrap();
        signed.pg_sig().to_owned()
    };
    // md5("get_status.php;1;molbulak;secret"), md5(";1;molbulak;secret"), md5("1;molbulak;secret").
    assert_eq!(sign(&Script::exactly("get_status.php")), MD5_EXACTLY);
    assert_eq!(sign(&Script::exactly("")), MD5_EMPTY);
    assert_eq!(sign(&Script::absent()), MD5_ABSENT);
}

const MD5_EXACTLY: &str = "d9e358755d980b1df50c097e20384371";
const MD5_EMPTY: &str = "9f0b16dd81cf6d671799bef8a25aa72f";
const MD5_ABSENT: &str = "0304b5c25e701613bca5708da17b4690";

#[test]
fn a_salt_is_a_text_of_the_callers_randomness() {
    let longest = "a".repeat(128);
    for salt in ["x", "some random string", "соль", &longest] {
        assert_eq!(Salt::new(salt).unwrap().as_str(), salt);
    }
    for salt in ["", "a;b", "a\nb", &format!("{longest}a")] {
        assert_eq!(Salt::new(salt).err(), Some(SaltError), "{salt}");
    }
    // Each random byte makes one of 32 letters, each letter as likely as any other.
    let all = (0..16).map(|row| {
        Salt::from_random(std::array::from_fn(|at| u8::try_from(row * 16 + at).unwrap()))
    });
    let letters: String = all.map(|salt| salt.as_str().to_owned()).collect();
    assert_eq!(letters, "abcdefghijklmnopqrstuvwxyz234567".repeat(8));
}

#[test]
fn a_key_is_one_line_of_what_its_reader_sees() {
    for (key, why) in [("", TextError::Blank), ("k\r", TextError::Lines)] {
        assert_eq!(AcceptingKey::new(key).err(), Some(KeyError(why)));
        assert_eq!(PayoutKey::new(key).err(), Some(KeyError(why)));
    }
}
