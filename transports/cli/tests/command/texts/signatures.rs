//! `imts sign` and `imts verify`: what fits, each mistake that explains a mismatch, and mistakes of usage.

use std::process::Command;

use md5::{Digest, Md5};

use super::scenes::Scenes;
use crate::{imts, run, run_with_stdin};

const URL: &str = "https://shop.example/pay/result.php?shop=1";
const JWS_URL: &str = "https://service.example/v5/partner/wallet/add";
const KEY: &str = "secret";

pub(super) fn shoot(scenes: &mut Scenes) {
    signing(scenes);
    explained_pg(scenes);
    explained_jws(scenes);
    mistakes(scenes);
}

fn with_key(args: &[&str]) -> Command {
    let mut command = imts(args);
    command.env("IMTS_KEY", KEY);
    command
}

fn signing(scenes: &mut Scenes) {
    let pg = ["sign", "pg-sig", "--url", URL, "-d", "pg_amount=25", "--salt", "molbulak"];
    scenes.both("a message that is signed", || with_key(&pg));
    scenes.run("", with_key(&pg).args(["--to", "response"]));
    let jws = ["sign", "jws", "--url", JWS_URL, "--party", "123456", "-d", "{}"];
    // A token stands for itself here: `sign` is to print it.
    scenes.both("a request that is signed", || with_key(&jws));
    let message = format!("pg_note=a;b&pg_salt=x&pg_sig={}", md5_of(&["result.php", "a;b", "x"]));
    let fits = ["verify", "pg-sig", "--url", URL, "-d", &message];
    scenes.both("a message that fits, with a separator in a value", || with_key(&fits));
    let token = token("{}", &[]);
    let fits = ["verify", "jws", "--url", JWS_URL, "--party", "123456", "-d", "{}"];
    let make = || {
        let mut command = with_key(&fits);
        command.args(["--signature", "-"]);
        command
    };
    let ran = run_with_stdin(&mut make(), &token);
    scenes.add("a request that fits", &make(), &ran);
}

/// The lower-case hex MD5 of a script and values, with the key last.
fn md5_of(parts: &[&str]) -> String {
    let mut all = parts.to_vec();
    all.push(KEY);
    Md5::digest(all.join(";")).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn explained_pg(scenes: &mut Scenes) {
    const FIELDS: &str = "pg_order_id=7&pg_amount=20.00&pg_salt=x&note=a%2520b&pg_empty=&pg_text= c \
                          &pg_need_email_notification=0";
    // The values of the fields by name: of note, pg_amount, pg_empty, and so on.
    let own = ["a%20b", "20.00", "", "0", "7", "x", " c "];
    let with_script = |name: &str| md5_of(&[&[name][..], &own].concat());
    let with = |values: &[&str]| md5_of(&[&["result.php"][..], values].concat());
    let cases = [
        ("one of whole messages that fits nothing", md5_of(&["another"])),
        ("in capital letters", with_script("result.php").to_uppercase()),
        ("the whole path", with_script("/pay/result.php")),
        ("the path", with_script("pay/result.php")),
        ("the query", with_script("result.php?shop=1")),
        ("without .php", with_script("result")),
        ("with .php twice", with_script("result.php.php")),
        ("the vendor's page", with_script("init_payment.php")),
        ("an empty script", with_script("")),
        ("the whole URL", with_script(URL)),
        ("no script", md5_of(&own)),
        ("no empty fields", with(&["a%20b", "20.00", "0", "7", "x", " c "])),
        ("fields of pg_ alone", with(&["20.00", "", "0", "7", "x", " c "])),
        ("documented fields alone", with(&["20.00", "7", "x"])),
        ("no notification fields", with(&["a%20b", "20.00", "", "7", "x", " c "])),
        ("no salt", with(&["a%20b", "20.00", "", "0", "7", " c "])),
        ("sorted values", with(&["", " c ", "0", "20.00", "7", "a%20b", "x"])),
        ("the order of the message", with(&["7", "20.00", "x", "a%20b", "", " c ", "0"])),
        ("no spaces", with(&["a%20b", "20.00", "", "0", "7", "x", "c"])),
        ("another amount", with(&["a%20b", "20", "", "0", "7", "x", " c "])),
        ("decoded twice", with(&["a b", "20.00", "", "0", "7", "x", " c "])),
    ];
    for (situation, sig) in cases {
        let message = format!("{FIELDS}&pg_sig={sig}");
        let args = ["verify", "pg-sig", "--url", URL, "-d", &message];
        scenes.run(&format!("pg_sig: {situation}"), &mut with_key(&args));
    }
    let message = format!("a=1&a=2&b[0][c]=3&pg_sig={}", md5_of(&["result.php", "2", "3"]));
    let args = ["verify", "pg-sig", "--url", URL, "-d", &message];
    scenes.both("pg_sig: a field twice", || with_key(&args));
    let unsigned = ["verify", "pg-sig", "--url", URL, "-d", "a=1"];
    scenes.run("pg_sig: none", &mut with_key(&unsigned));
    let result = "https://shop.example/pay/done";
    let message = format!("a=1&pg_sig={}", md5_of(&["result", "1"]));
    let args = ["verify", "pg-sig", "--url", result, "-d", &message];
    scenes.run("pg_sig: a script that many hard-code", &mut with_key(&args));
}

/// The token of a body.
fn token(body: &str, more: &[&str]) -> String {
    let mut command = with_key(&["sign", "jws", "--url", JWS_URL, "--party", "123456", "-d", body]);
    let line = run(command.args(more)).out;
    line.trim().strip_prefix("X-JWS-Signature: ").unwrap().to_owned()
}

fn explained_jws(scenes: &mut Scenes) {
    let cases: [(&str, &str, &str, &[&str]); 12] = [
        ("another body", r#"{"a":1}"#, r#"{"a":2}"#, &[]),
        ("spaces", r#"{"a":1}"#, r#"{ "a": 1 }"#, &[]),
        ("escaped slashes", r#"{"a":"\/x"}"#, r#"{"a":"/x"}"#, &[]),
        ("slashes as they are", r#"{"a":"/x"}"#, r#"{"a":"\/x"}"#, &[]),
        ("escaped letters", r#"{"a":"\u0451"}"#, r#"{"a":"ё"}"#, &[]),
        ("letters as they are", r#"{"a":"ё"}"#, r#"{"a":"\u0451"}"#, &[]),
        ("a line break at the end", "{}", "{}\n", &[]),
        ("a line break that is gone", "{}\n", "{}", &[]),
        ("no body", "", "{}", &[]),
        ("another algorithm", "{}", "{}", &["--algorithm", "hs512"]),
        ("another algorithm and spaces", "{}", "{ }", &["--algorithm", "hs512"]),
        ("another method", "{}", "{}", &["--method", "get"]),
    ];
    for (situation, signed, came, more) in cases {
        let token = scenes.folder.write("token", token(signed, more));
        let (body, token) = (scenes.folder.write("body", came), format!("@{token}"));
        let args = ["verify", "jws", "--url", JWS_URL, "--party", "123456"];
        let mut command = with_key(&args);
        command.args(["--signature", &token, "-d", &format!("@{body}")]);
        scenes.run(&format!("jws: {situation}"), &mut command);
    }
}

fn mistakes(scenes: &mut Scenes) {
    let broken = "a=1&pg_sig=x".to_owned();
    let cases: [&[&str]; 17] = [
        &["sign", "jws", "--url", "x y", "--party", "1"],
        &["sign", "jws", "--url", "/v5/path", "--party", "1"],
        &["sign", "jws", "--url", "https://service.example/a?b=1", "--party", "1"],
        &["sign", "jws", "--url", JWS_URL, "--party", "1", "--method", "a b"],
        &["sign", "jws", "--url", JWS_URL, "--party", "x", "--form", "merchant"],
        &["sign", "jws", "--url", JWS_URL, "--party", "1", "-d", "@/no/such/file"],
        &["verify", "jws", "--url", JWS_URL, "--party", "1", "--signature", "\u{7}"],
        &["verify", "jws", "--url", JWS_URL, "--party", "1", "--signature", "x"],
        &["sign", "pg-sig", "--url", "https://shop.example/", "-d", "a=1"],
        &["sign", "pg-sig", "--url", URL, "-d", "a="],
        &["sign", "pg-sig", "--url", URL, "-d", "a=1", "--salt", " "],
        &["sign", "pg-sig", "--url", URL, "-d", "a=1", "--key", "x"],
        &["sign", "pg-sig", "--url", URL, "-d", "-", "--key-file", "-"],
        &["verify", "pg-sig", "--url", URL, "-d", ""],
        &["verify", "pg-sig", "--url", URL, "-d", "<a>"],
        &["verify", "pg-sig", "--url", URL, "-d", "pg_xml=<a>"],
        &["verify", "pg-sig", "--url", URL, "-d", "-", "--key-file", "-"],
    ];
    for (place, args) in cases.into_iter().enumerate() {
        let situation = if place == 0 { "what cannot be signed or verified" } else { "" };
        scenes.run(situation, &mut with_key(args));
    }
    scenes.run("without a key", &mut imts(&["verify", "pg-sig", "--url", URL, "-d", &broken]));
}
