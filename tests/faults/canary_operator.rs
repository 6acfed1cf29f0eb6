//! Known values and keys in what the operator does: organisations, gates, regions, keys that sign, and the root key.

use crate::canary::{Canaries, root_key};
use crate::root_key::Site;
use core::net::SocketAddr;
use serde_json::json;
use std::path::Path;
use strongroom_tests::{Client, Ended, Launch};

/// What commands printed, to be searched.
pub(crate) type Printed = Vec<(String, Vec<u8>)>;

/// Runs a command that succeeds; gives what it printed.
#[track_caller]
fn run(name: &str, launch: Launch, printed: &mut Printed) -> Ended {
    let ended = launch.log("trace").run();
    assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
    for (kind, text) in [("output", &ended.stdout), ("errors", &ended.stderr)] {
        printed.push((format!("{kind} of {name}"), text.as_bytes().to_vec()));
    }
    ended
}

/// All that the operator can do, and a new root key at the end. `database`: the URL of the store, where it is none of this directory.
pub(crate) fn operator(
    address: SocketAddr,
    data: &Path,
    database: Option<&str>,
    client: &Client,
    canaries: &mut Canaries,
) -> Printed {
    let mut printed = Printed::new();
    let token = std::fs::read_to_string(data.join("operator.token")).unwrap().trim().to_owned();
    canaries.needles.add("the operator's token", token.as_bytes());
    let command = |arguments: &[&str]| Launch::operator(address, data, arguments);

    let owner = ["organisations", "create", "Canary", "--slug", "canary", "--owner-name", "Ann"];
    let mut made = Printed::new();
    let ended = run("organisations create", command(&owner), &mut made);
    canaries.needles.add("an owner's token", ended.stdout.trim().as_bytes());
    // Its output is that token.
    printed.extend(made.into_iter().filter(|(name, _)| name.starts_with("errors")));
    for arguments in [
        vec!["organisations", "list"],
        vec!["gates", "canary", "--kms", "off"],
        vec!["regions", "create", "Canary", "--slug", "canary-01"],
        vec!["regions", "update", "canary-01", "--kms", "off"],
        vec!["signing-key", "rotate"],
    ] {
        run(&arguments.join(" "), command(&arguments), &mut printed);
    }
    let url = format!("http://{address}");
    for arguments in [["audit", "key", "rotate"].as_slice(), &["audit", "status"], &["audit", "verify"]] {
        let launch = arguments.iter().fold(Launch::new(&[]), Launch::argument);
        let launch = launch.argument("--addr").argument(&url).argument("--data").argument(data);
        run(&arguments.join(" "), launch, &mut printed);
    }
    refused(&Client { token: Some(token), organisation: None, ..client.clone() }, canaries);

    if let Some(database) = database {
        Site::postgres(data, database).prepare(address).expect("the server takes on a root key");
    }
    let with_database = |launch: Launch| match database {
        Some(url) => launch.variable("STRONGROOM_DATABASE", url),
        None => launch,
    };
    let old = root_key(data);
    run("rootkey rotate", with_database(Launch::root_key(address, data, &["rotate"])), &mut printed);
    let new = root_key(data);
    assert_eq!(old == new, database.is_some(), "the file has the new one, unless it was prepared before");
    canaries.needles.add("the new root key", &new);
    run("rootkey check", with_database(Launch::new(&[&"rootkey", &"check", &"--data", &data])), &mut printed);
    printed
}

/// While no server runs: ways back in. Gives the owner's token, and what was printed but for that.
pub(crate) fn recovered(data: &Path, database: Option<&str>, canaries: &mut Canaries) -> (String, Printed) {
    let mut printed = Printed::new();
    let recover = |what: &str| {
        let launch = Launch::new(&[&"recover", &"--data", &data, &what]);
        database.iter().fold(launch, |launch, url| launch.variable("STRONGROOM_DATABASE", url))
    };
    let mut made = Printed::new();
    let ended = run("recover", recover("dev"), &mut made);
    let token = ended.stdout.trim().to_owned();
    assert!(token.starts_with("tc_pat_"), "{ended:?}");
    canaries.needles.add("a token of a recovery", token.as_bytes());
    printed.extend(made.into_iter().filter(|(name, _)| name.starts_with("errors")));
    // The file holds another one from then on.
    let before = std::fs::read_to_string(data.join("operator.token")).unwrap();
    canaries.needles.add("the operator's token before", before.trim().as_bytes());
    run("recover --operator", recover("--operator"), &mut printed);
    let after = std::fs::read_to_string(data.join("operator.token")).unwrap();
    assert_ne!(before, after);
    let refused = recover("canary").log("trace").run();
    assert_eq!(refused.code, Some(78), "{refused:?}");
    printed.push(("errors of a recovery that is refused".to_owned(), refused.stderr.into_bytes()));
    (token, printed)
}

/// What fails, each time with a value or a token.
fn refused(operator: &Client, canaries: &mut Canaries) {
    let all = "/v1/system/organisations";
    let token =
        Client { token: Some(format!("tc_op_{}", canaries.word("no token of the operator"))), ..operator.clone() };
    canaries.keep(401, token.get(all));
    let word = canaries.word("a name of another type");
    canaries.keep(400, operator.post(all, &json!({"name": [word], "owner": {"name": "Ann"}})));
    let word = canaries.word("a limit of another type");
    canaries.keep(400, operator.post("/v1/system/root-key/rotate", &json!({ "limit": word })));
    let word = canaries.word("no cursor");
    canaries.keep(400, operator.post("/v1/system/audit/verify", &json!({ "cursor": word })));
    let body = json!({"name": canaries.value("in broken JSON for the operator")}).to_string();
    let request = operator.request("POST", all).header("Content-Type", "application/json");
    canaries.keep(400, request.body(body[..body.len() - 1].to_owned()).send());
}
