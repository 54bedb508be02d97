//! In a real Chromium: what a student clicks, what is shown, and what the browser complains of.

#[path = "common/browser.rs"]
mod browser;
mod common;

use std::time::Duration;

use browser::Browser;
use common::{PATIENCE, Pot, Web};
use tokio::sync::Mutex;
use webapp::tls::Acceptor;

/// One browser at a time: each is several processes, and the countdown is looked at.
static TURN: Mutex<()> = Mutex::const_new(());

fn url(web: &Web, target: &str) -> String {
    format!("http://{}{target}", web.address())
}

/// The text of an element.
async fn text(browser: &Browser, selector: &str) -> String {
    let text = browser.run(&format!("return document.querySelector({selector:?}).innerText")).await;
    text.as_str().expect("it has a text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coffee_with_milk_and_syrup() {
    let _turn = TURN.lock().await;
    let Some(browser) = Browser::start(&[]).await else { return };
    let pot = Pot::ticking(Duration::from_secs(6));
    let web = Web::before(pot.address());

    browser.open(&url(&web, "/")).await;
    browser.wait_for("h1", "What will it be?").await;
    browser.click("input[value=cream]").await;
    browser.click("input[value=vanilla]").await;
    browser.click(".order button").await;
    browser.wait_for("h1", "Brewing").await;
    assert_eq!(browser.client.current_url().await.unwrap().as_str(), url(&web, "/"));
    assert_eq!(text(&browser, ".chips").await.split_whitespace().collect::<Vec<_>>(), ["cream", "vanilla"]);

    let first = text(&browser, ".clock").await;
    let mut later = first.clone();
    while later == first {
        tokio::time::sleep(Duration::from_millis(50)).await;
        later = text(&browser, ".clock").await;
    }
    assert!(later.starts_with("0:0") && later < first, "{first} runs down to {later}");
    let picture = "return document.querySelector('img').src.split('#')[1]";
    assert_eq!(browser.run(picture).await, "brewing");

    browser.click("dd a").await;
    browser.wait_for("h1", "Paraíso Gold").await;
    browser.wait_for("dl", "Brazil").await;
    browser.click("header nav a").await;
    browser.wait_for("h1", "Brewing").await;

    browser.wait_for("h1", "Say when").await;
    assert_eq!(browser.run(picture).await, "pouring");
    assert_eq!(browser.run("return document.title").await, "Say when");
    let asked = "return performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname).sort().join(' ')";
    // Nothing was asked for when the countdown ended.
    assert_eq!(browser.run(asked).await, "/assets/coffee_pot.svg /assets/script.js /assets/styles.css");

    browser.click("[data-phase=after] button").await;
    browser.wait_for("h1", "What will it be?").await;
    browser.open(&url(&web, "/log")).await;
    browser.wait_for("tbody", "cream, vanilla").await;
    assert_eq!(text(&browser, ".lead").await, "1 brew, the latest first.");
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pot_refuses() {
    let _turn = TURN.lock().await;
    let Some(browser) = Browser::start(&[]).await else { return };
    let pot = Pot::start();
    let web = Web::before(pot.address());
    let status = "return performance.getEntriesByType('navigation')[0].responseStatus";

    browser.open(&url(&web, "/")).await;
    browser.click("input[value=ducky]").await;
    browser.click(".pots input[value=tea]").await;
    browser.click(".order button").await;
    browser.wait_for("h1", "No coffee from this one").await;
    assert_eq!(browser.run(status).await, 418);

    browser.open(&url(&web, "/")).await;
    browser.click("[name=additions][value=tea]").await;
    browser.click(".order button").await;
    browser.wait_for("h1", "not on the menu").await;
    assert_eq!(browser.run(status).await, 406);
    browser.wait_for(".chips", "half-and-half").await;

    // Chromium mentions the statuses, and nothing else.
    let complaints = browser.complaints().await;
    for complaint in &complaints {
        assert!(complaint.contains("status of 418") || complaint.contains("status of 406"), "{complaints:?}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn darkness_is_a_matter_of_taste() {
    let _turn = TURN.lock().await;
    let Some(browser) = Browser::start(&[]).await else { return };
    let pot = Pot::start();
    let web = Web::before(pot.address());
    let shade = "return getComputedStyle(document.documentElement).backgroundColor";

    browser.open(&url(&web, "/")).await;
    let light = browser.run(shade).await;
    browser.click("#theme").await;
    let dark = browser.run(shade).await;
    assert_ne!(light, dark);
    assert_eq!(browser.run("return document.querySelector('#theme').getAttribute('aria-pressed')").await, "true");
    browser.open(&url(&web, "/log")).await;
    assert_eq!(browser.run(shade).await, dark);
    browser.click("#theme").await;
    browser.client.refresh().await.unwrap();
    assert_eq!(browser.run(shade).await, light);
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;

    // Someone who prefers darkness everywhere.
    let Some(browser) = Browser::start(&["--blink-settings=preferredColorScheme=0"]).await else { return };
    browser.open(&url(&web, "/")).await;
    assert_eq!(browser.run(shade).await, dark);
    browser.click("#theme").await;
    assert_eq!(browser.run(shade).await, light);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_keyboards_and_screen_readers() {
    let _turn = TURN.lock().await;
    let Some(browser) = Browser::start(&[]).await else { return };
    let pot = Pot::start();
    let web = Web::before(pot.address());

    browser.client.set_window_size(500, 800).await.unwrap();
    for target in ["/", "/log", "/?method=propfind", "/?method=brew&message=start&pots=tea", "/nowhere"] {
        browser.open(&url(&web, target)).await;
        let unlabelled = "return [...document.querySelectorAll('input:not([type=hidden])')].filter(input => !input.labels.length).length";
        assert_eq!(browser.run(unlabelled).await, 0, "{target}");
        assert_eq!(browser.run("return document.querySelectorAll('h1').length").await, 1, "{target}");
        assert_eq!(browser.run("return document.querySelectorAll('img:not([alt])').length").await, 0, "{target}");
        // As narrow as phones are, whatever the window can be.
        let overflow = "document.body.style.width = '320px'; return document.body.scrollWidth";
        assert_eq!(browser.run(overflow).await, 320, "{target}");
    }

    browser.open(&url(&web, "/")).await;
    let focused = "return document.activeElement.className || document.activeElement.innerText || document.activeElement.name";
    let mut order = Vec::new();
    for _ in 0..8 {
        browser.client.active_element().await.unwrap().send_keys("\u{e004}").await.unwrap();
        order.push(browser.run(focused).await.as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(order, ["skip", "brand", "Pot", "Beans", "Log", "Dark mode", "pots", "pots"]);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inline_scripts_do_not_run_and_are_complained_of() {
    let _turn = TURN.lock().await;
    let Some(browser) = Browser::start(&[]).await else { return };
    let pot = Pot::start();
    let web = Web::before(pot.address());
    browser.open(&url(&web, "/")).await;
    browser
        .run("const script = document.createElement('script'); script.textContent = 'window.hacked = 1'; document.body.append(script)")
        .await;
    assert!(browser.run("return window.hacked").await.is_null());
    let complaints = browser.complaints().await;
    assert!(complaints.iter().any(|complaint| complaint.contains("Content Security Policy")), "{complaints:?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_it_is_the_same_page() {
    let _turn = TURN.lock().await;
    let Some(browser) = Browser::start(&[]).await else { return };
    let pot = Pot::start();
    let web = Web::with(pot.address(), PATIENCE, Some(Acceptor::self_signed().unwrap()));
    browser.open(&format!("https://{}/", web.address())).await;
    browser.wait_for("h1", "What will it be?").await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}
