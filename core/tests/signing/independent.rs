//! A second implementation, in Python, must sign 10,000 random messages to the byte as this one does.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test starts Python")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use http::Request;
use imts_core::secret::Body;
use imts_core::sign::jws::{Algorithm, JwsForm};
use imts_core::sign::pg_sig::{AcceptingKey, Account, PgSigner, PgValue, Salt, Script};
use serde_json::{Value, json};

use crate::support::{SIGNATURE, fields_of, jws, shown};

/// How many messages of each kind.
const MESSAGES: usize = 10_000;
const SCRIPT: &str = include_str!("independent.py");

/// Numbers without a pattern (xorshift), the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// A text of up to eleven pieces: empty ones, separators, controls, other alphabets, a pair that
    /// Unicode could compose, characters beyond the first plane.
    fn text(&mut self) -> String {
        const PIECES: [&str; 16] = [
            "a", "Z", "0", "10", ";", " ", "&=", "%2f", "<b>", "\"\\", "\n", "\u{301}e", "é", "Ж",
            "漢", "🚀",
        ];
        (0..self.below(12)).map(|_| self.pick(&PIECES)).collect()
    }

    fn name(&mut self) -> String {
        const NAMES: [&str; 9] =
            ["pg_amount", "pg_param1", "pg_param10", "pg_param2", "a", "A", "a1", "x_note", "имя"];
        self.pick(&NAMES).to_owned()
    }

    /// Pairs of a name, and a text or further pairs. A name may repeat.
    fn fields(&mut self, depth: usize) -> Value {
        let pair = |random: &mut Self| {
            let name = random.name();
            let value = match random.below(8) {
                0 if depth > 0 => random.fields(depth - 1),
                1 if depth > 0 => (0..random.below(14) + 1)
                    .map(|place| json!([place.to_string(), random.text()]))
                    .collect(),
                _ => random.text().into(),
            };
            json!([name, value])
        };
        (0..self.below(9) + 1).map(|_| pair(self)).collect()
    }
}

/// The signatures that Python computes for these messages.
fn by_python(messages: &[Value]) -> Vec<String> {
    let python = Command::new("python3")
        .args(["-c", SCRIPT])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut python = python.expect("python3 is needed: sudo apt-get install -y python3");
    let mut input = python.stdin.take().unwrap();
    let lines: String = messages.iter().map(|message| format!("{message}\n")).collect();
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let signatures = String::from_utf8(output.stdout).unwrap();
    signatures.lines().map(str::to_owned).collect()
}

#[test]
fn python_signs_10_000_random_requests_to_the_byte_as_this_crate_does() {
    let forms = [
        ("partner", vec!["uri", "auth_id", "method", "params", "alg"]),
        ("newer", vec!["alg", "typ", "auth_id", "uri", "method", "params"]),
        ("merchant", vec!["path", "merchant_id", "method", "params", "alg"]),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut messages = Vec::new();
    let mut ours = Vec::new();
    for _ in 0..MESSAGES {
        let (form, fields) = &forms[random.below(forms.len())];
        let algorithm = [Algorithm::Hs256, Algorithm::Hs512][random.below(2)];
        let key = format!("{}k", random.text().replace(['\n', '\u{301}'], "-").trim_start());
        let party = (random.below(900_000) + 1).to_string();
        let path = format!("/v5/{}/{}", random.pick(&["g2g", "card-api"]), random.below(99));
        let method = random.pick(&["POST", "GET"]);
        let body = if random.below(9) == 0 {
            String::new()
        } else {
            json!({ random.name(): random.text(), "n": random.below(1_000) }).to_string()
        };
        let form = match *form {
            "partner" => JwsForm::partner(algorithm),
            "newer" => JwsForm::partner_with_typ(algorithm),
            _ => JwsForm::merchant(algorithm),
        };
        let request = Request::builder().method(method).uri(format!("https://a.example{path}"));
        let request = request.body(Body::from(body.clone().into_bytes())).unwrap();
        let signed = jws(form, &party, &key).sign(request).unwrap();
        ours.push(signed.headers()[SIGNATURE].to_str().unwrap().to_owned());
        let hex: String = body.bytes().map(|byte| format!("{byte:02x}")).collect();
        messages.push(json!({
            "form": fields, "alg": algorithm.as_str(), "key": key, "party": party, "path": path,
            "method": method, "body": hex,
        }));
    }
    assert_all_equal(&messages, &ours, &by_python(&messages));
}

#[test]
fn python_signs_10_000_random_messages_to_the_byte_as_this_crate_does() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut messages = Vec::new();
    for _ in 0..MESSAGES {
        let key = format!("k{}", random.below(99));
        let script = random.pick(&["init_payment.php", "result", "status_v2"]);
        messages.push(json!({ "script": script, "key": key, "fields": random.fields(2) }));
    }
    let theirs = by_python(&messages);
    let (mut sent, mut ours) = (Vec::new(), Vec::new());
    for (message, theirs) in messages.iter().zip(&theirs) {
        let text = |name: &str| message[name].as_str().unwrap();
        let signer = PgSigner::new().with_accepting(AcceptingKey::new(text("key")).unwrap());
        let script = Script::of(&format!("https://a.example/{}", text("script"))).unwrap();
        let fields = fields_of(&message["fields"]);
        // What came in: nested, repeated and empty fields too.
        let received = fields.clone().with("pg_sig", theirs.as_str());
        let verified = signer.verify(Account::Accepting, &script, received);
        assert!(verified.is_ok(), "{message}: {theirs}");
        // What is sent, unless readers could read it otherwise: the salt is one more field.
        let salt = Salt::new("molbulak").unwrap();
        if let Ok(signed) = signer.sign(Account::Accepting, &script, fields.clone(), &salt) {
            ours.push(signed.pg_sig().to_owned());
            let mut salted = message.clone();
            salted["fields"] = shown(&PgValue::from(fields.with("pg_salt", "molbulak")));
            sent.push(salted);
        }
    }
    assert_eq!(theirs.len(), MESSAGES);
    assert!(sent.len() > MESSAGES / 100, "{} can be sent", sent.len());
    assert_eq!(ours, by_python(&sent));
}

fn assert_all_equal(messages: &[Value], ours: &[String], theirs: &[String]) {
    assert_eq!((ours.len(), theirs.len()), (MESSAGES, MESSAGES));
    for ((message, ours), theirs) in messages.iter().zip(ours).zip(theirs) {
        assert_eq!(ours, theirs, "{message}");
    }
}
