//! `imts sign` and `imts verify`: the vectors, what explains a mismatch, and what is never printed.

use std::process::Command;

use serde_json::Value;

use crate::{Folder, imts, run, run_with_stdin};

const PG: &str = include_str!("../../../../core/tests/fixtures/pg_sig.json");
const JWS: &str = include_str!("../../../../core/tests/fixtures/jws.json");

fn of(file: &str, list: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    file[list].as_array().unwrap().clone()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{vector}: {name}"))
}

/// Urlencoded pairs. The tests write each byte that is not a letter or a digit as %XX.
fn form(pairs: &[(String, String)]) -> String {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |all, byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => all + &char::from(byte).to_string(),
            other => all + &format!("%{other:02X}"),
        })
    };
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The fields of a vector that has only texts, with this signature.
fn flat(vector: &Value, sig: &str) -> Option<Vec<(String, String)>> {
    let fields = vector["fields"].as_array()?.iter();
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
    let mut pairs: Vec<_> = fields.map(pair).collect::<Option<_>>()?;
    pairs.push(("pg_sig".to_owned(), sig.to_owned()));
    Some(pairs)
}

fn verify_pg(url: &str, message: &str, key: &str, more: &[&str]) -> Command {
    let mut command = imts(&["verify", "pg-sig", "--url", url, "-d", message]);
    command.args(more).env("IMTS_KEY", key);
    command
}

#[test]
fn each_flat_vector_of_pg_sig_fits_and_with_another_key_none_does() {
    let mut count = 0;
    for vector in of(PG, "vectors") {
        let Some(pairs) = flat(&vector, text(&vector, "pg_sig")) else { continue };
        let script = vector["script"].as_str().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if script.is_empty() || !script.chars().all(is_name) {
            continue;
        }
        let (url, message) = (format!("https://shop.example/a/{script}?b=c"), form(&pairs));
        let ran = run(&mut verify_pg(&url, &message, text(&vector, "secret"), &[]));
        assert_eq!(ran.code, 0, "{vector}: {}", ran.err);
        assert!(ran.out.contains(&format!("script `{script}`")), "{}", ran.out);
        let ran = run(&mut verify_pg(&url, &message, "another key", &[]));
        assert_eq!(ran.code, 13, "{vector}");
        assert!(ran.err.contains("known mistakes explains it"), "{}", ran.err);
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn a_mismatch_is_explained_by_the_mistake_that_made_it_and_stays_a_failure() {
    let base = of(PG, "vectors").into_iter().find(|it| it["id"] == "callback-result").unwrap();
    let (key, script) = (text(&base, "secret"), text(&base, "script"));
    let expected = text(&base, "pg_sig");
    let explained = [
        ("neg-trailing-garbage", Some("exactly 32 lower-case hex digits")),
        ("neg-prefix", None),
        ("neg-only-pg-fields", Some("names begin with pg_")),
        ("neg-without-notification-fields", Some("not documented are left out")),
        ("neg-gateway-script", Some("with the script `")),
        ("neg-full-path-script", Some("the whole path")),
        ("neg-query-in-script", Some("the last part with the query")),
        ("neg-sorted-values", Some("the values are sorted, not the names")),
        ("neg-message-order", Some("in the order in which they came")),
        ("neg-payout-secret", None),
        ("neg-hmac", None),
    ];
    let wrong = of(PG, "must_not_verify");
    for (id, explanation) in explained {
        let vector = wrong.iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("{id}"));
        let message = form(&flat(&base, text(vector, "pg_sig")).unwrap());
        let url = format!("https://shop.example/pay/{script}?token=1");
        let ran = run(&mut verify_pg(&url, &message, key, &[]));
        assert_eq!((ran.code, &*ran.out), (13, ""), "{id}: {}", ran.err);
        match explanation {
            Some(by) => assert!(ran.err.contains(by), "{id}: {}", ran.err),
            None => assert!(ran.err.contains("known mistakes explains it"), "{id}: {}", ran.err),
        }
        assert!(!ran.err.contains(expected) && !ran.err.contains(key), "{id}: {}", ran.err);
        let json = run(&mut verify_pg(&url, &message, key, &["--json"]));
        let error = &json.json()["error"];
        assert_eq!((json.code, &error["kind"]), (13, &"signature".into()), "{id}");
        assert_eq!(error["script"], script, "{id}");
        let by = error["explained_by"].as_array().unwrap();
        assert_eq!(by.is_empty(), explanation.is_none(), "{id}: {error}");
        assert!(!json.out.contains(expected) && !json.out.contains(key), "{id}: {}", json.out);
    }
}

#[test]
fn a_message_is_signed_so_that_it_verifies_in_each_form() {
    let folder = Folder::new("sign-pg");
    let key = folder.write("key", "secret\n");
    let url = "https://api.freedompay.kz/init_payment.php";
    for (to, start) in [
        ("form", "pg_order_id=23&"),
        ("json", "{\"pg_order_id\":\"23\","),
        ("request", "<?xml"),
        ("response", "<?xml"),
    ] {
        let data = ["-d", "pg_order_id=23", "-d", "pg_description=Бронь & Co <b>"];
        let flags = ["--url", url, "--key-file", &key, "--to", to, "--salt", "molbulak"];
        let mut sign = imts(&["sign", "pg-sig"]);
        let signed = run(sign.args(data).args(flags));
        assert_eq!(signed.code, 0, "{to}: {}", signed.err);
        assert!(signed.out.starts_with(start), "{to}: {}", signed.out);
        let mut verify = imts(&["verify", "pg-sig", "--url", url, "--key-file", &key, "-d", "-"]);
        let verified = run_with_stdin(&mut verify, &signed.out);
        assert_eq!(verified.code, 0, "{to}: {}", verified.err);
        assert!(verified.out.contains("3 fields: pg_order_id, pg_description, pg_salt"), "{to}");
    }
    // The published string, with 123456 and secret for its placeholders.
    let published =
        ["pg_order_id=23", "pg_merchant_id=123456", "pg_amount=25", "pg_description=test"];
    let mut sign = imts(&["sign", "pg-sig", "--url", url, "--salt", "molbulak", "--json"]);
    sign.args(published.iter().flat_map(|field| ["-d", field])).args(["--key-file", &key]);
    assert_eq!(run(&mut sign).json()["pg_sig"], "f6a3253881d88e447fa32402c086a2bf");
    // Without --salt, each message has another one.
    let random = |_| {
        let mut sign = imts(&["sign", "pg-sig", "--url", url, "-d", "a=1", "--key-file", &key]);
        run(&mut sign).out
    };
    assert_ne!(random(1), random(2));
}

#[test]
fn a_message_with_a_separator_in_a_value_fits_and_is_not_to_be_trusted_alone() {
    let folder = Folder::new("sign-separator");
    let key = folder.write("key", "secret");
    let url = "https://shop.example/pay/result";
    let mut sign = imts(&["sign", "pg-sig", "--url", url, "--key-file", &key, "-d", "a=1;2"]);
    let message = run(&mut sign).out;
    let ran = run(&mut verify_pg(url, message.trim(), "secret", &[]));
    assert!(ran.code == 0 && ran.out.contains("ask for the status"), "{}", ran.out);
    let json = run(&mut verify_pg(url, message.trim(), "secret", &["--json"])).json();
    assert_eq!((&json["verified"], &json["has_separator"]), (&true.into(), &true.into()));
}

/// `imts sign jws` or `imts verify jws`, for the request of a vector.
fn jws(what: &str, vector: &Value, more: &[&str]) -> Command {
    let header: Value = serde_json::from_str(text(vector, "header")).unwrap();
    let path = header.get("uri").or(header.get("path")).unwrap().as_str().unwrap();
    let url = format!("https://service.example{path}");
    let party = match header.get("auth_id").or(header.get("merchant_id")).unwrap() {
        Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    let form = match () {
        () if header["merchant_id"].is_number() => "merchant",
        () if header.get("typ").is_some() => "partner-typ",
        () => "partner",
    };
    let algorithm = text(vector, "alg").to_lowercase();
    let method = header["method"].as_str().unwrap();
    let mut command = imts(&[what, "jws", "--url", &url, "--party", &party, "--form", form]);
    command.args(["--algorithm", &algorithm, "--method", method, "-d", text(vector, "body")]);
    command.args(more).env("IMTS_KEY", text(vector, "key"));
    command
}

#[test]
fn each_vector_of_jws_fits_and_is_made_again_byte_for_byte() {
    let mut count = 0;
    for vector in of(JWS, "vectors") {
        let (header, algorithm) = (text(&vector, "header"), text(&vector, "alg"));
        // The command has the forms that the vendor prints for its APIs.
        let is_printed = header.contains(&format!("\"alg\":\"{algorithm}\""))
            && !header.contains("merchant_id\":\"");
        if !is_printed {
            continue;
        }
        let token = text(&vector, "x_jws_signature");
        let ran = run(&mut jws("verify", &vector, &["--signature", token]));
        assert_eq!(ran.code, 0, "{vector}: {}", ran.err);
        let ran = run(&mut jws("sign", &vector, &["--json"]));
        assert_eq!(ran.json()["header"], "X-JWS-Signature");
        assert_eq!(ran.json()["value"], token, "{vector}");
        count += 1;
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn a_body_that_was_serialized_again_is_recognized_and_not_accepted() {
    let folder = Folder::new("jws-again");
    let key = folder.write("key", "secret");
    let url = "https://service.example/v5/partner/wallet/add";
    let token = |body: &str, more: &[&str]| {
        let mut sign = imts(&["sign", "jws", "--url", url, "--party", "1", "--key-file", &key]);
        let line = run(sign.args(["-d", body]).args(more)).out;
        line.trim().strip_prefix("X-JWS-Signature: ").unwrap().to_owned()
    };
    let cases: [(&str, &str, &[&str], &str); 8] = [
        (r#"{"a":1}"#, r#"{ "a": 1 }"#, &[], "without spaces and line breaks"),
        (r#"{"a":"\/x"}"#, r#"{"a":"/x"}"#, &[], r"is written as \/"),
        (r#"{"a":"/x"}"#, r#"{"a":"\/x"}"#, &[], r"each \/ of the body is written as /"),
        (r#"{"a":"\u0451"}"#, r#"{"a":"ё"}"#, &[], r"as \uXXXX"),
        (r#"{"a":"ё"}"#, r#"{"a":"\u0451"}"#, &[], "written as they are"),
        ("{}", "{}\n", &[], "without the line break at the end"),
        ("", "{}", &[], "the sender signed no body"),
        ("{}", "{}", &["--algorithm", "hs512"], "with --algorithm hs512"),
    ];
    for (signed, came, more, by) in cases {
        let token = token(signed, more);
        let flags = ["--url", url, "--party", "1", "--key-file", &key, "-d", came];
        let mut verify = imts(&["verify", "jws", "--signature", &token]);
        let ran = run(verify.args(flags));
        assert_eq!((ran.code, &*ran.out), (13, ""), "{came}: {}", ran.err);
        assert!(ran.err.contains(by), "{came}: {}", ran.err);
        assert!(ran.err.contains("The token claims "), "{came}: {}", ran.err);
        assert!(!ran.err.contains(&token), "{}", ran.err);
    }
}

#[test]
fn what_keeps_something_from_being_signed_is_said_with_what_to_do() {
    let folder = Folder::new("sign-mistakes");
    let key = folder.write("key", "secret");
    let pg = |more: &[&str]| {
        let mut command = imts(&["sign", "pg-sig", "--key-file", &key]);
        run(command.args(more)).err
    };
    let url = ["--url", "https://shop.example/result"];
    for (flags, message) in [
        (&["--url", "https://shop.example/", "-d", "a=1"][..], "end it with a name"),
        (&[&url[..], &["-d", "a="]].concat(), "leave it out"),
        (&[&url[..], &["-d", "pg_sig=1"]].concat(), "pg_sig"),
        (&[&url[..], &["-d", "a=1", "--key", "secret"]].concat(), "set IMTS_KEY"),
        (&[&url[..], &["-d", "a=1", "--salt", ""]].concat(), "--salt"),
    ] {
        let err = pg(flags);
        assert!(err.contains(message) && !err.contains("secret\n"), "{flags:?}: {err}");
    }
    let none = run(&mut imts(&["sign", "pg-sig", "--url", url[1], "-d", "a=1"]));
    assert!(none.code == 2 && none.err.contains("set the variable IMTS_KEY"), "{}", none.err);
    let twice = ["--key-file", "-", "-d", "-", "--url", url[1]];
    let twice = run(imts(&["verify", "pg-sig"]).args(twice));
    assert!(twice.code == 2 && twice.err.contains("stdin can be read once"), "{}", twice.err);
}
