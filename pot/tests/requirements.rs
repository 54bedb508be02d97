//! What the RFCs and the lab require of a pot, one test for each number of the table in `RFC.md`.

mod common;

use std::process::Command;
use std::time::Duration;

use common::{Answer, LAB_GET, Pot, Setup, lab_brew};
use pot::menu::{Pot as Which, Tea};

const BREW_TIME: Duration = Duration::from_secs(30);

/// Asks a new pot.
#[track_caller]
fn check(request: &str, status_line: &str) -> Answer {
    let answer = Pot::start().ask(request);
    assert_eq!(answer.status_line, status_line, "{request:?}: {}", answer.body);
    answer
}

fn additions(pot: &Pot) -> serde_json::Value {
    pot.ask(LAB_GET).json()["additions"].clone()
}

/// The additions of a brew ordered with this Accept-Additions value.
#[track_caller]
fn check_additions(value: &str, expected: &[&str]) {
    let pot = Pot::start();
    let answer = pot.ask(lab_brew(&format!("Accept-Additions: {value}\r\n"), "start"));
    assert_eq!(answer.code(), 200, "{value}: {}", answer.body);
    assert_eq!(additions(&pot), serde_json::json!(expected), "{value}");
}

/// A request for tea.
fn tea(method: &str, path: &str, more_fields: &str, body: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nContent-Type: message/teapot\r\nContent-Length: {}\r\n{more_fields}\r\n{body}", body.len())
}

#[test]
fn r01_brew_starts_a_brew() {
    let pot = Pot::start();
    assert_eq!(pot.ask(LAB_GET).body, "{}");
    let answer = pot.ask(lab_brew("", "start"));
    assert_eq!((answer.status_line.as_str(), answer.body.as_str()), ("HTCPCP/1.1 200 OK", ""));
    assert_eq!(pot.ask(LAB_GET).json()["beverage_type"], "Coffee");
}

#[test]
fn r02_post_is_the_same_as_brew() {
    let pot = Pot::start();
    assert_eq!(pot.ask(lab_brew("", "start").replacen("BREW", "POST", 1)).code(), 200);
    assert_eq!(pot.ask(lab_brew("", "start")).body, "Pot is busy");
}

#[test]
fn r03_post_is_said_to_be_deprecated() {
    let post = check(&lab_brew("", "start").replacen("BREW", "POST", 1), "HTCPCP/1.1 200 OK");
    assert_eq!(post.field("Deprecation"), Some("@891388800"));
    assert_eq!(check(&lab_brew("", "start"), "HTCPCP/1.1 200 OK").field("Deprecation"), None);
}

#[test]
fn r04_the_body_may_be_an_application_coffee_pot_command() {
    check("BREW / HTTP/1.1\r\nContent-Type: Application/Coffee-Pot-Command; q=1\r\nContent-Length: 5\r\n\r\nstart", "HTTP/1.1 200 OK");
}

#[test]
fn r05_the_body_may_be_a_message_coffeepot() {
    check("BREW coffee://ducky/pot-1 HTTP/1.1\r\nContent-Type: message/coffeepot\r\n\r\nstart", "HTCPCP/1.1 200 OK");
}

#[test]
fn r06_other_content_types_are_415() {
    for field in ["Content-Type: text/plain\r\n", "Content-Type: application/coffee\r\n", ""] {
        check(&format!("BREW coffee://ducky HTTP/1.1\r\n{field}\r\nstart"), "HTCPCP/1.1 415 Unsupported Media Type");
    }
    check("GET coffee://ducky HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n", "HTCPCP/1.1 415 Unsupported Media Type");
}

#[test]
fn r07_start_and_stop_in_every_spelling() {
    for (start, stop) in [("start", "stop"), ("start\r\n", "stop\r\n"), ("coffee-message-body=start", "coffee-message-body=stop")] {
        let pot = Pot::start();
        assert_eq!(pot.ask(lab_brew("", start)).code(), 200, "{start:?}");
        assert_ne!(pot.ask(LAB_GET).body, "{}", "{start:?}");
        assert_eq!(pot.ask(lab_brew("", stop)).code(), 200, "{stop:?}");
        assert_eq!(pot.ask(LAB_GET).body, "{}", "{stop:?}");
    }
}

#[test]
fn r08_any_other_body_is_400() {
    for body in ["brew", "START", "start stop", "start\r\n\r\n", "s", ""] {
        check(&lab_brew(&format!("Content-Length: {}\r\n", body.len()), body), "HTCPCP/1.1 400 Bad Request");
    }
}

#[test]
fn r09_get_returns_what_the_pot_has() {
    let pot = Pot::start();
    pot.ask(lab_brew("Accept-Additions: coconut milk; almond milk\r\n", "start"));
    pot.pass(Duration::from_secs(4));
    let answer = pot.ask(LAB_GET);
    let keys = ["date", "beverage_type", "additions", "brew_time_end", "pour_milk_start", "coffee_bean", "pour_milk_stop"];
    let json = answer.json();
    for key in keys {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(json.as_object().unwrap().len(), keys.len());
    assert_eq!((&json["date"], &json["brew_time_end"]), (&"Tue, 27 Jun 2023 12:26:59".into(), &"Tue, 27 Jun 2023 12:27:29".into()));
    assert_eq!(json["additions"], serde_json::json!(["coconut milk", "almond milk"]));
    assert_eq!(pot.ask("GET coffee://ducky HTTP/1.1\r\n\r\n").json(), json);
}

#[test]
fn r10_propfind_returns_what_is_known_about_the_brew() {
    let propfind = LAB_GET.replacen("GET", "PROPFIND", 1);
    let pot = Pot::start();
    assert_eq!(pot.ask(&propfind).body, "{}");
    pot.ask(lab_brew("", "start"));
    assert_eq!(pot.ask(&propfind).json(), pot.ask(LAB_GET).json()["coffee_bean"]);
    for key in ["name", "profile", "origin", "type", "strength", "roast"] {
        assert!(pot.ask(&propfind).json()[key].is_string(), "{key}");
    }
}

#[test]
fn r11_when_stops_the_milk() {
    let pot = Pot::start();
    let when = LAB_GET.replacen("GET", "WHEN", 1);
    pot.ask(lab_brew("Accept-Additions: cream\r\n", "start"));
    pot.pass(BREW_TIME);
    assert_eq!(pot.ask(LAB_GET).json()["pour_milk_stop"], false);
    assert_eq!(pot.ask(lab_brew("", "start")).body, "Pot is busy");
    assert_eq!(pot.ask(&when).status_line, "HTCPCP/1.1 200 OK");
    assert_eq!(pot.ask(LAB_GET).body, "{}");
    assert_eq!(pot.ask("GET coffee://ducky/log HTTP/1.1\r\n\r\n").json()["brews"][0]["pour_milk_stop"], true);
}

#[test]
fn r12_when_with_nothing_to_stop_is_409() {
    let when = LAB_GET.replacen("GET", "WHEN", 1);
    let pot = Pot::start();
    assert_eq!(pot.ask(&when).status_line, "HTCPCP/1.1 409 Conflict");
    for field in ["", "Accept-Additions: cream\r\n"] {
        pot.ask(lab_brew(field, "start"));
        assert_eq!(pot.ask(&when).code(), 409, "the coffee is not strong enough yet");
        pot.pass(BREW_TIME);
    }
    assert_eq!(pot.ask(&when).code(), 200);
    assert_eq!(pot.ask(&when).code(), 409, "it was said already");
}

#[test]
fn r13_unknown_methods_are_501() {
    for method in ["MILK", "brew", "PUT", "OPTIONS", "DELETE"] {
        check(&LAB_GET.replacen("GET", method, 1), "HTCPCP/1.1 501 Not Implemented");
    }
}

#[test]
fn r14_answers_say_whether_asking_again_is_safe() {
    let pot = Pot::start();
    for request in [LAB_GET.to_string(), lab_brew("", "start"), lab_brew("", "x"), LAB_GET.replacen("GET", "WHEN", 1)] {
        let answer = pot.ask(&request);
        assert!(matches!(answer.field("Safe"), Some("yes" | "no")), "{request:?}");
    }
}

#[test]
fn r15_get_and_propfind_are_safe_and_brew_is_not() {
    for (method, safe) in [("GET", "yes"), ("PROPFIND", "yes"), ("BREW", "no"), ("POST", "no"), ("WHEN", "no")] {
        assert_eq!(Pot::start().ask(LAB_GET.replacen("GET", method, 1)).field("Safe"), Some(safe), "{method}");
    }
}

#[test]
fn r16_additions_are_a_list_by_commas_and_by_the_labs_semicolons() {
    check_additions("cream, vanilla", &["cream", "vanilla"]);
    check_additions("cream; vanilla", &["cream", "vanilla"]);
    check_additions("Cream;Vanilla,rum", &["cream", "vanilla", "rum"]);
    check_additions("cream; cream, CREAM", &["cream"]);
    check_additions("#Almond;2#Vanilla;5", &["almond", "vanilla"]);
    check_additions("milk-type=Cream; Rum", &["cream", "rum"]);
}

#[test]
fn r17_parameters_of_additions_parse() {
    check_additions("cream;1,whisky;3", &["cream", "whisky"]);
    check_additions("cream;q=0.5;level=2, rum;q=1", &["cream", "rum"]);
    check_additions("cream;q=0, rum;q=0.000, vanilla", &["vanilla"]);
}

#[test]
fn r18_a_star_leaves_it_to_the_pot() {
    check_additions("*", &[]);
    check_additions("*, cream", &["cream"]);
}

#[test]
fn r19_every_milk_is_there() {
    let milks = ["Cream", "Half-and-half", "Whole-milk", "Part-Skim", "Skim", "Non-Dairy"];
    check_additions(&milks.join(", "), &["cream", "half-and-half", "whole-milk", "part-skim", "skim", "non-dairy"]);
    check_additions("oat milk; almond milk; soya milk; coconut milk", &["oat milk", "almond milk", "soya milk", "coconut milk"]);
}

#[test]
fn r20_every_syrup_is_there() {
    check_additions("Vanilla, Almond, Raspberry, Chocolate", &["vanilla", "almond", "raspberry", "chocolate"]);
}

#[test]
fn r21_every_spirit_is_there() {
    check_additions("Whisky, Rum, Kahlua, Aquavit", &["whisky", "rum", "kahlua", "aquavit"]);
}

#[test]
fn r22_sweeteners_and_spices_have_the_values_we_gave_them() {
    check_additions("honey, saccharin, sucralose", &["honey", "saccharin", "sucralose"]);
    check_additions("cinnamon; cardamom; nutmeg", &["cinnamon", "cardamom", "nutmeg"]);
}

#[test]
fn r23_there_is_no_decaffeinated_coffee() {
    for value in ["decaf", "Decaffeinated", "cream; caffeine-free"] {
        let request = lab_brew(&format!("Accept-Additions: {value}\r\n"), "start");
        check(&request, "HTCPCP/1.1 406 Not Acceptable");
    }
    assert!(!Which::Ducky.menu().contains("caf"));
}

#[test]
fn r24_an_addition_that_the_pot_does_not_have_is_406() {
    let pot = Pot::start();
    for value in ["tea", "cream; gravel", "sugar", "\u{e9}"] {
        assert_eq!(pot.ask(lab_brew(&format!("Accept-Additions: {value}\r\n"), "start")).code(), 406, "{value}");
    }
    assert_eq!(pot.ask(LAB_GET).body, "{}", "nothing was begun");
    check("BREW coffee://ducky/pot-1?gravel HTTP/1.1\r\nContent-Type: message/coffeepot\r\n\r\nstart", "HTCPCP/1.1 406 Not Acceptable");
}

#[test]
fn r25_a_406_lists_what_is_available_except_to_head() {
    let answer = check(&lab_brew("Accept-Additions: tea\r\n", "start"), "HTCPCP/1.1 406 Not Acceptable");
    assert_eq!(answer.body, Which::Ducky.menu());
    check_additions(&answer.body, &answer.body.split("; ").collect::<Vec<_>>());
    let head = check("HEAD coffee://ducky HTTP/1.1\r\nAccept-Additions: tea\r\n\r\n", "HTCPCP/1.1 406 Not Acceptable");
    assert_eq!(head.body, "");
    assert!(Pot::start().all_answers("HEAD / HTTP/1.1\r\nAccept-Additions: tea\r\n\r\n").ends_with("\r\n\r\n"));
}

#[test]
fn r26_a_teapot_asked_for_coffee_is_418() {
    for field in ["Use-Pot: tea\r\n", "Use-Pot: ducky; tea\r\n", "Use-Pot: ducky\r\nUse-Pot: TEA\r\n"] {
        let answer = check(&lab_brew(field, "start"), "HTCPCP/1.1 418 I'm a teapot");
        assert_eq!(answer.body, "I'm short and stout");
    }
    check("BREW coffee://ducky/pot-0 HTTP/1.1\r\nContent-Type: message/coffeepot\r\n\r\nstart", "HTCPCP/1.1 418 I'm a teapot");
}

#[test]
fn r27_a_uri_has_host_pot_and_additions_and_each_may_be_missing() {
    let brew = |target: &str| {
        let pot = Pot::start();
        let answer = pot.ask(format!("BREW {target} HTTP/1.1\r\nContent-Type: message/coffeepot\r\n\r\nstart"));
        assert_eq!(answer.status_line, "HTCPCP/1.1 200 OK", "{target}");
        additions(&pot)
    };
    let none = serde_json::json!([]);
    for target in ["coffee:", "coffee://ducky", "coffee://DUCKY/", "coffee:/pot-1", "coffee://ducky:5030/pot-1", "coffee://ducky/ducky"] {
        assert_eq!(brew(target), none, "{target}");
    }
    assert_eq!(brew("coffee:?cream"), serde_json::json!(["cream"]));
    assert_eq!(brew("coffee://ducky/pot-1?oat%20milk,rum"), serde_json::json!(["oat milk", "rum"]));
}

#[test]
fn r28_all_schemes_of_the_table_are_coffee() {
    let pot = Pot::start();
    for scheme in htcpcp::Scheme::ALL {
        let answer = pot.ask(format!("GET {}://ducky HTTP/1.1\r\n\r\n", scheme.printed));
        assert_eq!(answer.status_line, "HTCPCP/1.1 200 OK", "{}", scheme.printed);
    }
    for target in ["caffeine://ducky", "caffeine:/pot-1", "tea://ducky", "coffees://ducky", "%Coffee://ducky"] {
        check(&format!("GET {target} HTTP/1.1\r\n\r\n"), "HTCPCP/1.1 400 Bad Request");
    }
}

#[test]
fn r29_schemes_have_no_case_and_the_odd_encodings_count() {
    for scheme in ["COFFEE", "Kaffe", "%4Baffee", "%4baffee", "Kaffee", "caf%C3%E8", "caf%C3%A8", "caf%C3%A9", "CAF%c3%a9"] {
        check(&format!("GET {scheme}://ducky HTTP/1.1\r\n\r\n"), "HTCPCP/1.1 200 OK");
    }
}

#[test]
fn r30_pots_have_numbers_and_the_date_is_right() {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\n\r\n");
    check(&get("coffee://ducky/pot-1"), "HTCPCP/1.1 200 OK");
    check(&get("/pot-0"), "HTTP/1.1 200 OK");
    for target in ["coffee://ducky/pot-7", "coffee://ducky/pot-", "coffee://ducky/pot--1", "coffee://ducky/pot-1/x", "coffee://psyduck"] {
        check(&get(target), "HTCPCP/1.1 404 Not Found");
    }
    let pot = Pot::start();
    pot.pass(Duration::from_secs(61));
    assert_eq!(pot.ask(LAB_GET).field("Date"), Some("Tue, 27 Jun 2023 12:28:00"));
    assert_eq!(pot.ask("GET / HTTP/1.1\r\n\r\n").field("Date"), Some("Tue, 27 Jun 2023 12:28:00 GMT"));
}

#[test]
fn r31_a_message_teapot_is_understood() {
    let pot = Pot::start();
    assert_eq!(pot.ask(tea("BREW", "coffee://ducky/earl-grey", "", "start")).status_line, "HTCPCP/1.1 200 OK");
    let brew = pot.ask("GET /pot-0 HTTP/1.1\r\n\r\n").json();
    assert_eq!((&brew["beverage_type"], &brew["tea"]), (&"Tea".into(), &"earl-grey".into()));
    assert_eq!(pot.ask(LAB_GET).body, "{}", "the coffee pot is another");
    assert_eq!(pot.ask(lab_brew("", "start")).code(), 200, "and brews meanwhile");
    let answer = pot.ask(tea("BREW", "coffee://ducky/pot-1", "", "start"));
    assert_eq!(answer.code(), 415, "the coffee pot makes no tea");
}

#[test]
fn r32_a_brew_of_the_root_for_tea_starts_nothing_and_names_alternates() {
    let pot = Pot::start();
    for path in ["/", "coffee://ducky", "coffee://ducky/", "/pot-0"] {
        let answer = pot.ask(tea("BREW", path, "Use-Pot: tea\r\n", "start"));
        assert_eq!((answer.code(), answer.field("Alternates").is_some()), (300, true), "{path}");
    }
    assert_eq!(pot.ask("GET /pot-0 HTTP/1.1\r\n\r\n").body, "{}");
}

#[test]
fn r33_alternates_are_written_as_rfc_7168_does() {
    let answer = check(&tea("BREW", "/", "", "start"), "HTTP/1.1 300 Multiple Options");
    assert_eq!(
        answer.field("Alternates"),
        Some(r#"{"/earl-grey" {type message/teapot}}, {"/darjeeling" {type message/teapot}}, {"/peppermint" {type message/teapot}}"#)
    );
}

#[test]
fn r34_a_brew_of_the_root_for_a_message_coffeepot_names_alternates_too() {
    let brew = |kind: &str, path: &str| format!("BREW {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: 5\r\n\r\nstart");
    assert!(check(&brew("message/coffeepot", "/"), "HTTP/1.1 200 OK").field("Alternates").is_some());
    assert!(check(&brew("application/coffee-pot-command", "/"), "HTTP/1.1 200 OK").field("Alternates").is_none());
    assert!(check(&brew("message/coffeepot", "/pot-1"), "HTTP/1.1 200 OK").field("Alternates").is_none());
}

#[test]
fn r35_the_client_reads_alternates_and_asks_for_one_of_them() {
    let pot = Pot::start();
    let brew = |variety: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pot"));
        let address = pot.address.to_string();
        let output = command.args(["brew", "--pot", &address, "-v", "--tea"]).args(variety).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, wire) = brew(&["darjeeling"]);
    let lines: Vec<_> = wire.lines().filter(|line| line.starts_with("> BREW") || line.contains(" 300 ")).collect();
    assert_eq!(
        lines,
        [r"> BREW coffee://ducky HTTP/1.1\r\n", r"< HTCPCP/1.1 300 Multiple Options\r\n", r"> BREW coffee://ducky/darjeeling HTTP/1.1\r\n",]
    );
    assert_eq!(code, Some(0), "{wire}");
    assert_eq!(pot.ask("GET /pot-0 HTTP/1.1\r\n\r\n").json()["tea"], "darjeeling");
    let (code, said) = brew(&["espresso"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("there is: earl-grey, darjeeling, peppermint"), "{said}");
}

#[test]
fn r36_the_answer_with_alternates_is_300() {
    check(&tea("BREW", "coffee://ducky", "", "start"), "HTCPCP/1.1 300 Multiple Options");
}

#[test]
fn r37_varieties_have_paths_of_their_own_and_below_a_pot() {
    for tea_ in Tea::ALL {
        for path in [format!("/{}", tea_.name), format!("/pot-0/{}", tea_.name)] {
            check(&tea("BREW", &path, "", "start"), "HTTP/1.1 200 OK");
            check(&tea("BREW", &format!("coffee://ducky{path}"), "", "start"), "HTCPCP/1.1 200 OK");
        }
    }
    check(&tea("BREW", "/pot-1/darjeeling", "", "start"), "HTTP/1.1 404 Not Found");
    check(&tea("BREW", "/espresso", "", "start"), "HTTP/1.1 404 Not Found");
}

#[test]
fn r38_stop_serves_the_tea_as_weak_as_it_is() {
    let pot = Pot::start();
    pot.ask(tea("BREW", "/earl-grey", "", "start"));
    pot.pass(Duration::from_secs(12));
    let served = pot.ask(tea("BREW", "/earl-grey", "", "stop"));
    assert_eq!((served.code(), &served.json()["strength_percent"]), (200, &40.into()));
    assert_eq!(pot.ask("GET /pot-0 HTTP/1.1\r\n\r\n").body, "{}");
    assert_eq!(pot.ask("GET /log HTTP/1.1\r\n\r\n").json()["brews"][0]["outcome"], "stopped");
    assert_eq!(pot.ask(tea("BREW", "/earl-grey", "", "stop")).code(), 409);
}

#[test]
fn r39_post_is_the_same_as_brew_for_tea() {
    check(&tea("POST", "/peppermint", "", "start"), "HTTP/1.1 200 OK");
    check(&tea("POST", "/", "", "start"), "HTTP/1.1 300 Multiple Options");
}

#[test]
fn r40_every_sugar_is_there_for_tea() {
    let pot = Pot::start();
    let answer = pot.ask(tea("BREW", "/darjeeling", "Accept-Additions: Sugar, Xylitol, Stevia\r\n", "start"));
    assert_eq!(answer.code(), 200, "{}", answer.body);
    assert_eq!(pot.ask("GET /pot-0 HTTP/1.1\r\n\r\n").json()["additions"], serde_json::json!(["sugar", "xylitol", "stevia"]));
}

#[test]
fn r41_additions_that_do_not_suit_a_variety_are_403() {
    check(&tea("BREW", "/peppermint", "Accept-Additions: cream\r\n", "start"), "HTTP/1.1 403 Forbidden");
    check(&tea("BREW", "/earl-grey", "Accept-Additions: cream\r\n", "start"), "HTTP/1.1 200 OK");
    let answer = check(&tea("BREW", "/earl-grey", "Accept-Additions: gravel\r\n", "start"), "HTTP/1.1 406 Not Acceptable");
    assert_eq!(answer.body, Which::Tea.menu());
}

#[test]
fn r42_without_beans_there_is_no_coffee_now() {
    let mut setup = Setup::default();
    setup.settings.servings = Some(1);
    let pot = Pot::with(setup);
    assert_eq!(pot.ask(lab_brew("", "start")).code(), 200);
    pot.pass(BREW_TIME);
    assert_eq!(pot.ask(lab_brew("", "start")).status_line, "HTCPCP/1.1 503 Service Unavailable");
    assert_eq!(pot.ask(tea("BREW", "/earl-grey", "", "start")).code(), 200, "tea needs no beans");
}

#[test]
fn r43_a_pot_that_never_has_coffee_is_418() {
    let mut setup = Setup::default();
    setup.settings.servings = Some(0);
    let pot = Pot::with(setup);
    assert_eq!(pot.ask(lab_brew("Use-Pot: tea\r\n", "start")).code(), 418, "never, and not just now");
    assert_eq!(pot.ask(lab_brew("Use-Pot: tea\r\n", "stop")).code(), 418);
}

#[test]
fn r44_answers_carry_server_content_type_and_date() {
    let pot = Pot::start();
    let requests = [
        LAB_GET.to_string(),
        lab_brew("", "start"),
        lab_brew("", "nonsense"),
        LAB_GET.replacen("GET", "MILK", 1),
        "GET coffee://ducky HTCPCP/1.1\r\nContent-Length: x\r\n\r\n".into(),
        "GET coffee://ducky NONSENSE/9\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n".into(),
    ];
    for request in requests {
        let answer = pot.ask(&request);
        for name in ["Server", "Content-Type", "Date"] {
            assert!(answer.field(name).is_some(), "{request:?}: {name}");
        }
        assert_eq!(answer.field("Server"), Some("CoffeePot"));
    }
    assert_eq!(pot.ask(LAB_GET).names()[..3], ["Server", "Content-Type", "Date"]);
}
