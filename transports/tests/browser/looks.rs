//! How the pages look: styled under their policy, narrow enough for a phone, readable in the dark.

use serde_json::json;

use crate::driver::{Browser, Look};
use crate::listener::Listener;
use crate::{control, sandbox, sign_in};

/// The contrast of a text against what is behind it, by WCAG 2.2, section 1.4.3. Walks up to the first
/// element whose ground is not transparent.
const CONTRASTS: &str = "
    const numbers = color => color.match(/[\\d.]+/g).map(Number);
    const light = color => {
        const [red, green, blue] = numbers(color).map(part => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = element => {
        for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            const alpha = numbers(color)[3];
            if (alpha === undefined || alpha > 0) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('h1, p, li, dt, dd, button, a')].map(element => {
        const pair = [light(getComputedStyle(element).color), light(ground(element))];
        return [element.innerText, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
    });";

#[test]
fn each_page_is_styled_narrow_and_readable() {
    let (browser, front, back) = (Browser::start(), sandbox(), Listener::welcoming());
    let link = sign_in::link(&front.url(), &back.url("/signed-in"));
    let long = "An order with a-very-long-word-that-has-no-place-where-a-line-could-break-in-two";
    let asked = json!({ "order_id": "O-17", "amount": "99999999", "description": long });
    let made = control(&front, "/payments", &asked);
    let pay = format!("{}{}", front.url(), made["pay_path"].as_str().unwrap());
    let account = format!("{}/account", front.url());
    let lost = format!("{}/login?track_id=lost", front.url());
    for (name, url) in [("login", link), ("pay", pay), ("account", account), ("lost", lost)] {
        for look in [Look::Desktop, Look::Phone, Look::Dark] {
            browser.look(look);
            browser.open(&url);
            browser.picture(&format!("{name}-{look:?}").to_lowercase());
            let at = format!("{name} {look:?}");
            let padding =
                browser.script("return getComputedStyle(document.querySelector('main')).padding");
            assert_ne!(padding, "0px", "{at}: the style was not applied");
            let excess = "return document.documentElement.scrollWidth - innerWidth";
            assert_eq!(browser.script(excess), 0, "{at}: the page is wider than its window");
            let small = "return [...document.querySelectorAll('button, a')]
                .filter(element => element.getBoundingClientRect().height < 44).length";
            assert_eq!(browser.script(small), 0, "{at}: a button is too small for a finger");
            for pair in browser.script(CONTRASTS).as_array().unwrap() {
                assert!(pair[1].as_f64().unwrap() >= 4.5, "{at}: {pair}");
            }
            let heads = browser.script(
                "return [document.documentElement.lang, document.querySelectorAll('h1').length,
                document.scripts.length]",
            );
            assert_eq!(heads, json!(["en", 1, 0]), "{at}");
        }
    }
    let complaints = browser.complaints();
    let other = |text: &&String| !text.contains("404 (Not Found)");
    assert_eq!(complaints.iter().filter(other).collect::<Vec<_>>(), Vec::<&String>::new());
}
