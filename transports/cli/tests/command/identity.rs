//! Who tries to get past the guard by another spelling, and what is shown of odd references.

use imts::JournalFile;
use imts_sandbox::{Front, Sandbox};

use crate::{Folder, Ran, SERVICE_FILE, TRANSPORTS, call, imts, run};

/// Calls confirm. The service file names the field of its reference.
struct Tries {
    front: Front,
    folder: Folder,
}

impl Tries {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let named = "confirm-example\"\nreference_field = \"client_uuid\"";
        folder.write("service.toml", SERVICE_FILE.replace("confirm-example\"", named));
        Self {
            front: Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap(),
            folder,
        }
    }

    fn journal(&self) -> String {
        self.folder.path("journal")
    }

    fn pay(&self, url: &str, transport: &str, data: &str, more: &[&str]) -> Ran {
        let (service, journal) = (self.folder.path("service.toml"), self.journal());
        let flags = ["--service-file", &service, "--transport", transport, "--journal", &journal];
        run(call(url, "confirm", &flags).args(["-d", data]).args(more))
    }

    fn seen(&self) -> usize {
        self.front.sandbox().count("confirm".parse().unwrap())
    }
}

#[test]
fn no_spelling_of_the_service_or_the_reference_sends_it_again() {
    for transport in TRANSPORTS {
        let tries = Tries::new(&format!("identity-{transport}"));
        let url = tries.front.url();
        let uuid = "6f1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c";
        let body = |id: &str| format!(r#"{{"client_uuid":{id}}}"#);
        let (text, upper) = (format!("\"{uuid}\""), format!("\"{}\"", uuid.to_uppercase()));
        let spaced = format!("\" {uuid} \"");
        assert_eq!(tries.pay(&url, transport, &body(&text), &[]).code, 0);
        for (url, data, reference, code) in [
            (format!("{url}/"), body(&text), None, 8),
            (url.replace("http://", "HTTP://"), body(&text), None, 8),
            (url.clone(), body(&text), Some(format!(" {uuid}")), 8),
            (url.clone(), body(&text), Some(uuid.to_uppercase()), 8),
            (url.clone(), body(&text.replace('f', "\\u0066")), None, 8),
            // Another body, whatever the service would make of it.
            (url.clone(), body(&upper), None, 9),
            (url.clone(), body(&spaced), None, 9),
        ] {
            let more = reference.map(|it| ["--reference".to_owned(), it]).unwrap_or_default();
            let more: Vec<_> =
                more.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
            let ran = tries.pay(&url, transport, &data, &more);
            assert_eq!(ran.code, code, "{url} {data} {more:?}: {ran:?}");
        }
        assert_eq!(tries.seen(), 1, "{transport}");
        // A number and the text of its digits are one reference, and two bodies.
        assert_eq!(tries.pay(&url, transport, &body("\"17\""), &[]).code, 0);
        assert_eq!(tries.pay(&url, transport, &body("17"), &[]).code, 9);
        for nothing in ["17.0", "1e1", "-17", "null", "[17]", "\"\"", "\" \"", "true"] {
            assert_eq!(tries.pay(&url, transport, &body(nothing), &[]).code, 11, "{nothing}");
        }
        assert_eq!(tries.seen(), 2, "{transport}");
    }
}

#[test]
fn odd_references_are_known_again_and_move_no_cursor() {
    let tries = Tries::new("identity-odd");
    let url = tries.front.url();
    let long = "x".repeat(10_000);
    let odd =
        ["a b", "\u{e9}", "e\u{301}", "\u{1f4b8}", "'\"\\$(x)`", "a\nb", "\u{1b}[2Jx", "-1", &long];
    for reference in odd {
        let flag = format!("--reference={reference}");
        let pay = || tries.pay(&url, "ureq", r#"{"client_uuid":"1"}"#, &[&flag]);
        assert_eq!(pay().code, 0, "{reference:?}");
        let again = pay();
        assert_eq!(again.code, 8, "{reference:?}");
        let is_shown = |letter: char| letter == '\n' || !letter.is_control();
        assert!(again.err.chars().all(is_shown), "{:?}", again.err);
        assert!(!again.err.contains("a\nb"), "{:?}", again.err);
    }
    assert_eq!(tries.seen(), odd.len());
    let list = run(&mut imts(&["journal", "list", &tries.journal(), "--all"]));
    assert_eq!(list.out.lines().count(), odd.len() + 1, "a line each");
    assert!(!list.out.contains('\u{1b}'));
    let list = run(&mut imts(&["journal", "list", &tries.journal(), "--all", "--json"])).json();
    let listed: Vec<_> = list.as_array().unwrap().iter().map(|it| &it["reference"]).collect();
    assert_eq!(listed, odd, "scripts get them as they are");
    assert_eq!(JournalFile::read(tries.journal()).unwrap().calls().count(), odd.len());
}
