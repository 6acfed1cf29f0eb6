//! The tour of `docs/access.md`, word for word.

use crate::Stage;
use std::process::Command;

const TOUR: &str = include_str!("../../docs/access.md");

/// The shell lines of the page.
fn script() -> String {
    TOUR.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_tour_works_as_it_stands() {
    let stage = Stage::new();
    let place = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink(stage.data(), place.path().join("strongroom-data")).expect("a link");
    // Each call tells its status; a proxy of the environment is not asked.
    let calls = "curl() { command curl --noproxy '*' -w '%{stderr}HTTP %{http_code} %{url_effective}\\n' \"$@\"; }";
    let script = format!("{calls}\n{}", script());
    let run = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).current_dir(place.path()).output();
    let run = run.expect("bash, curl, jq and openssl are installed");
    let (out, told) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}\n{told}");
    let statuses: Vec<(u16, &str)> = told
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP ")?.split_once(' '))
        .map(|(status, url)| (status.parse().expect("a number"), url))
        .collect();
    let of = |part: &str| -> Vec<u16> {
        statuses.iter().filter(|(_, url)| url.contains(part)).map(|(status, _)| *status).collect()
    };
    assert_eq!(of("/app/production/db/value"), [200, 200], "{told}");
    assert_eq!(of("/app/staging/db/value"), [403, 403], "{told}");
    assert_eq!(of("/oidc/token"), [200, 400, 200], "{told}");
    assert_eq!(of("/v1/system/"), [200, 200], "{told}");
    assert_eq!(of("/v1/projects"), [403], "{told}");
    assert_eq!(of("/v1/iam/explain"), [200, 200], "{told}");
    let refused = statuses.iter().filter(|(status, _)| *status >= 400).count();
    assert_eq!(refused, 5, "those that the page says are refused: {told}");
    for code in ["insufficient_scope", "forbidden", "invalid_grant", "feature_disabled"] {
        assert!(out.contains(code), "{code}: {out}");
    }
}
