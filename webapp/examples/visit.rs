//! Clicks in Chromium what a sample capture shows: `visit homepage_coffee http://127.0.0.1:5031/`.
//!
//! `scripts/record-samples` runs the servers and the capture around it.

#[path = "../tests/common/browser.rs"]
mod browser;

use std::process::ExitCode;
use std::time::Duration;

use browser::Browser;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks at a page for as long as its pictures and scripts may take.
async fn look() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [sample, url] = &arguments[..] else {
        eprintln!("usage: visit SAMPLE URL");
        return ExitCode::from(2);
    };
    let Some(browser) = Browser::start(&[]).await else { return ExitCode::from(2) };
    browser.open(url).await;
    browser.wait_for("h1", "What will it be?").await;
    look().await;
    match &**sample {
        "homepage_coffee" | "homepage_https" => {}
        "coffee_brew" => brew(&browser).await,
        "coffee_418_406" => be_refused(&browser).await,
        _ => {
            eprintln!("visit: there is no sample {sample}");
            return ExitCode::from(2);
        }
    }
    browser.close().await;
    ExitCode::SUCCESS
}

/// A coffee with two milks and a syrup, its beans, and the base page again.
async fn brew(browser: &Browser) {
    for addition in ["coconut milk", "almond milk", "vanilla"] {
        browser.click(&format!("input[value='{addition}']")).await;
    }
    browser.click(".order button").await;
    browser.wait_for("h1", "Brewing").await;
    look().await;
    browser.click("header nav a[href='/?method=propfind']").await;
    browser.wait_for(".kicker", "In the pot").await;
    look().await;
    browser.click("header nav a[href='/']").await;
    browser.wait_for("h1", "Brewing").await;
    look().await;
}

/// Coffee from the tea pot, and then with chamomile.
async fn be_refused(browser: &Browser) {
    browser.click("input[value=ducky]").await;
    browser.click(".pots input[value=tea]").await;
    browser.click(".order button").await;
    browser.wait_for(".kicker", "418").await;
    look().await;
    browser.click("main p a[href='/']").await;
    browser.wait_for("h1", "What will it be?").await;
    look().await;
    browser.click("[name=additions][value=tea]").await;
    browser.click(".order button").await;
    browser.wait_for(".kicker", "406").await;
    look().await;
}
