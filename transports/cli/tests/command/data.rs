//! `imts call -d`: each form, as the service gets it.

use std::sync::mpsc::{self, Receiver};

use imts_sandbox::{Front, Sandbox};

use crate::{Folder, Ran, SERVICE_FILE, call, run, run_with_stdin};

/// A service that hands on the body of each request that is not a sign-in.
fn listening() -> (Front, Receiver<String>) {
    let (heard, bodies) = mpsc::channel();
    let front = Front::builder(Sandbox::with_service_file(SERVICE_FILE).unwrap())
        .handler(move |sandbox, now, request| {
            if request.uri().path() != imts_sandbox::GET_TOKEN_PATH {
                heard.send(String::from_utf8(request.body().clone()).unwrap()).unwrap();
            }
            sandbox.handle(now, request)
        })
        .start()
        .unwrap();
    (front, bodies)
}

fn confirm(url: &str, data: &[&str]) -> std::process::Command {
    let flags: Vec<_> = data.iter().flat_map(|data| ["-d", data]).collect();
    let mut command = call(url, "confirm", &["--path", "/v5/partner/transfer/confirm-example"]);
    command.args(flags);
    command
}

#[test]
fn each_form_is_sent_as_it_was_meant() {
    let (front, bodies) = listening();
    let folder = Folder::new("data-forms");
    let text = folder.write("text", "\u{feff}a \"quoted\"\nline\\\r\n");
    let json = folder.write("json", "\u{feff}{ \"n\": 1.10 }\n");
    let (text_file, json_file) = (format!("a=@{text}"), format!("b:=@{json}"));
    let cases: [(&[&str], &str); 14] = [
        (&[], "{}"),
        (&["client_uuid=17"], r#"{"client_uuid":"17"}"#),
        (&["b=2", "a=1", "c_d-e=3"], r#"{"b":"2","a":"1","c_d-e":"3"}"#),
        (&["a="], r#"{"a":""}"#),
        (&["a=x=y:=z"], r#"{"a":"x=y:=z"}"#),
        (&["a=\"q\"\\"], r#"{"a":"\"q\"\\"}"#),
        (&["a= x "], r#"{"a":" x "}"#),
        (&["a=null", "b:=null"], r#"{"a":"null","b":null}"#),
        (
            &["amount:=123456789012345678901234567890.10", "e:=1e-7", "neg:=-0.0"],
            r#"{"amount":123456789012345678901234567890.10,"e":1e-7,"neg":-0.0}"#,
        ),
        (&["payer:={\"name\":\"A\",\"n\":[1.0]}"], r#"{"payer":{"name":"A","n":[1.0]}}"#),
        (&["a:=\"@x\""], r#"{"a":"@x"}"#),
        (&[&text_file, &json_file], r#"{"a":"a \"quoted\"\nline\\","b":{ "n": 1.10 }}"#),
        (&["{\"a\":\"b=c\"}"], r#"{"a":"b=c"}"#),
        (&[" {\"a\": 1.10}"], r#"{"a": 1.10}"#),
    ];
    for (data, sent) in cases {
        run(&mut confirm(&front.url(), data));
        assert_eq!(bodies.try_recv().unwrap(), sent, "{data:?}");
    }
    for (data, stdin, sent) in
        [("a=@-", "x\n", r#"{"a":"x"}"#), ("a:=@-", " [1.0] ", r#"{"a":[1.0]}"#)]
    {
        run_with_stdin(&mut confirm(&front.url(), &[data, "b=2"]), stdin);
        let sent = sent.replace('}', ",\"b\":\"2\"}");
        assert_eq!(bodies.try_recv().unwrap(), sent, "{data}");
    }
}

#[test]
fn a_reference_is_found_in_a_field() {
    let (front, _bodies) = listening();
    let folder = Folder::new("data-reference");
    let journal = folder.path("journal");
    let service = folder.service_file();
    let send = || {
        let mut command = call(&front.url(), "create-transfer", &["--service-file", &service]);
        run(command.args(["-d", "client_uuid=17", "--journal", &journal, "--json"]))
    };
    assert_eq!(send().code, 0);
    let again = send();
    assert_eq!((again.code, again.error().0.as_str()), (8, "already_done"), "{again:?}");
}

fn assert_usage(ran: &Ran, words: &str) {
    assert_eq!((ran.code, ran.error().0.as_str()), (2, "usage"), "{words}: {ran:?}");
    assert!(ran.out.contains(words), "{words}: {ran:?}");
}

#[test]
fn what_is_not_clear_is_refused_and_nothing_is_sent() {
    let (front, _bodies) = listening();
    let folder = Folder::new("data-unclear");
    let long = format!("b=@{}", folder.write("long", "x".repeat(600_000)));
    let longer = format!("a=@{}", folder.write("longer", "x".repeat(1_048_577)));
    let wide = format!("a=@{}", folder.write("wide", b"\xff\xfea\0"));
    let long_too = long.replace("b=", "c=");
    let cases: [(&[&str], &str); 22] = [
        (&["a=1", "a=2"], "the field a twice"),
        (&["a=1", "b=2", "a:=2"], "the field a twice"),
        (&["{}", "a=1"], "and not both"),
        (&["a=1", "@file"], "and not both"),
        (&["{}", "{}"], "and not both"),
        (&["-", "a=1"], "and not both"),
        (&["a:="], "the field a cannot be used: it is blank"),
        (&["a:=1,\"b\":2"], "the field a is not JSON"),
        (&["a:=1}"], "the field a is not JSON"),
        (&["a:=text"], "give a=TEXT"),
        (&["a:=01"], "the field a is not JSON"),
        (&["a.b=1"], "KEY:=JSON"),
        (&["a[b]=1"], "KEY:=JSON"),
        (&["a b=1"], "a key has only letters"),
        (&["b=1", "\u{43a}\u{43b}=1"], "-d number 2: a key"),
        (&["a=@"], "the name of a file"),
        (&["a=@/no/such"], "the field a from /no/such"),
        (&[&long, &long_too], "longer than 1048576 bytes"),
        (&[&longer], "longer than 1048576 bytes"),
        (&["a= "], "the field a cannot be used: it is blank"),
        (&["a=\u{7}"], "U+0007"),
        (&[&wide], "UTF-16"),
    ];
    for (data, words) in cases {
        assert_usage(&run(confirm(&front.url(), data).arg("--json")), words);
    }
    let twice = &mut confirm(&front.url(), &["a=@-", "b:=@-", "--json"][..2]);
    assert_usage(&run_with_stdin(twice.arg("--json"), "1"), "two fields");
    let with_secret = &mut confirm(&front.url(), &["a=@-"]);
    assert_usage(&run_with_stdin(with_secret.args(["--secret-file", "-", "--json"]), "1"), "stdin");
    assert!(front.log().is_empty(), "nothing was sent");
}

#[test]
fn a_message_repeats_no_value() {
    let (front, _bodies) = listening();
    for data in [
        &["pan:=4400430012345678 x"][..],
        &["pan=4400430012345678", "pan=1"],
        &["p n=4400430012345678"],
    ] {
        for json in [&["--json"][..], &[]] {
            let ran = run(confirm(&front.url(), data).args(json));
            let told = format!("{}{}", ran.out, ran.err);
            assert!(ran.code == 2 && !told.contains("4400430012345678"), "{data:?}: {ran:?}");
        }
    }
}
