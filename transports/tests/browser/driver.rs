//! A browser without a window, driven over WebDriver: a chromedriver and a profile of the test's own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::http::send;

/// What the browser runs with: no network but the test's, no state but the folder's.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A running browser. It ends with the test.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    folder: PathBuf,
}

/// How wide the window is, and whether it is dark.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    Desktop,
    Phone,
    Dark,
}

impl Browser {
    pub(crate) fn start() -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("browser-{}-{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("apt-get install chromium chromium-driver");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        // The line ends with `on port 40123.`
        let port: u16 = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver names its port");
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", folder.display()));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let url = format!("http://127.0.0.1:{port}/session");
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let reply = send("POST", &url, &[], Some(&body));
        let mut browser = Self { driver, session: String::new(), folder };
        assert_eq!(reply.status, 200, "{}", reply.body);
        let id = reply.json()["value"]["sessionId"].as_str().unwrap().to_owned();
        browser.session = format!("{url}/{id}");
        browser
    }

    /// Sends a command and returns its value.
    fn command(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let reply = send(method, &format!("{}{path}", self.session), &[], body);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.json()["value"].clone()
    }

    pub(crate) fn open(&self, url: &str) {
        self.command("POST", "/url", Some(&json!({ "url": url })));
    }

    pub(crate) fn url(&self) -> String {
        self.command("GET", "/url", None).as_str().unwrap().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap().to_owned()
    }

    pub(crate) fn script(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", Some(&json!({ "script": script, "args": [] })))
    }

    /// Clicks the button or link with this text.
    pub(crate) fn click(&self, text: &str) {
        let path = format!("//*[self::button or self::a][normalize-space()='{text}']");
        let wanted = json!({ "using": "xpath", "value": path });
        let found = self.command("POST", "/element", Some(&wanted));
        let id = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.command("POST", &format!("/element/{id}/click"), Some(&json!({})));
    }

    /// Presses keys, one after the other. Special keys have their code points in WebDriver.
    pub(crate) fn press(&self, keys: &[char]) {
        let press = |key: &char| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let actions: Vec<_> = keys.iter().flat_map(press).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.command("POST", "/actions", Some(&json!({ "actions": [keyboard] })));
    }

    /// Waits until the page shows a text. The page itself looks again each second.
    pub(crate) fn wait_for(&self, text: &str) {
        let begun = std::time::Instant::now();
        while !self.text().contains(text) {
            assert!(begun.elapsed().as_secs() < 120, "{text:?} does not come: {}", self.text());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Returns what the browser complained about.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.command("POST", "/se/log", Some(&json!({ "type": "browser" })));
        let texts = entries.as_array().unwrap().iter().map(|entry| entry["message"].to_string());
        texts.filter(|text| !text.contains("favicon")).collect()
    }

    pub(crate) fn look(&self, look: Look) {
        let (width, height, scheme) = match look {
            Look::Desktop => (1_280, 800, "light"),
            Look::Phone => (360, 740, "light"),
            Look::Dark => (1_280, 800, "dark"),
        };
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 }),
        );
        let scheme = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [scheme] }));
    }

    /// Keeps a picture of the page, if the environment names a folder for it.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("IMTS_BROWSER_PICTURES") else { return };
        let picture = self.command("GET", "/screenshot", None);
        fs::create_dir_all(&folder).unwrap();
        let file = PathBuf::from(folder).join(format!("{name}.png.base64"));
        fs::write(file, picture.as_str().unwrap()).unwrap();
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.command("POST", "/goog/cdp/execute", Some(&body));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser's own processes. Without a session there are none.
        if !self.session.is_empty() && !std::thread::panicking() {
            send("DELETE", &self.session, &[], None);
        } else if !self.session.is_empty() {
            drop(std::panic::catch_unwind(|| send("DELETE", &self.session, &[], None)));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}
