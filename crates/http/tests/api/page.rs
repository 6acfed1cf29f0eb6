//! The page at `/docs`: its script runs on the document that is served, in an engine without a browser.

use crate::support::Room;
use rquickjs::{Context, Ctx, Runtime};
use serde_json::{Value, json};

/// A page that was opened.
struct Page {
    context: Context,
    document: Value,
}

impl Page {
    /// Opens the page whose script is at this URL, where the document is answered with this status.
    async fn open(script: &str, hash: &str, status: u16) -> Self {
        let room = Room::new().await;
        let text = async |url: &str| {
            let reply = room.raw(&format!("GET {url}"), &[], "").await;
            String::from_utf8(reply.body.to_vec()).expect("UTF-8")
        };
        let (html, code, document) = (text("/docs").await, text("/docs/page.js").await, text("/openapi.json").await);
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let served = json!({ "ids": ids, "script": script, "hash": hash, "status": status, "text": document });
        let context = Context::full(&Runtime::new().expect("an engine")).expect("an engine");
        let page = Self { context, document: serde_json::from_str(&document).expect("JSON") };
        page.run(&format!("globalThis.served = {served}"));
        page.run(include_str!("page/browser.js"));
        page.run(&code);
        page
    }

    /// Runs code, and what it put off.
    #[track_caller]
    fn run(&self, code: &str) {
        self.context.with(|ctx| {
            let outcome = ctx.eval::<(), _>(code);
            outcome.unwrap_or_else(|error| panic!("{error}: {}", thrown(&ctx)));
            while ctx.execute_pending_job() {}
        });
    }

    /// What an expression gives.
    #[track_caller]
    fn get(&self, expression: &str) -> Value {
        self.context.with(|ctx| {
            let text = ctx.eval::<String, _>(format!("JSON.stringify({expression})"));
            let text = text.unwrap_or_else(|error| panic!("{error}: {}", thrown(&ctx)));
            serde_json::from_str(&text).expect("JSON")
        })
    }

    fn operations(&self) -> impl Iterator<Item = &Value> {
        let paths = self.document["paths"].as_object().expect("paths").values();
        paths.flat_map(|path| path.as_object().expect("operations").values())
    }
}

fn thrown(ctx: &Ctx<'_>) -> String {
    format!("{:?}", ctx.catch())
}

#[tokio::test]
async fn the_page_shows_every_operation() {
    let page = Page::open("https://vault.example/docs/page.js", "#revealSecretValue", 200).await;
    assert_eq!(page.get("asked"), json!(["https://vault.example/openapi.json"]));
    assert_eq!(page.get("all((it) => it.attributes.role === 'alert').map((it) => it.textContent)"), json!([]));
    let mut wanted: Vec<&str> = page.operations().map(|it| it["operationId"].as_str().expect("a name")).collect();
    wanted.sort_unstable();
    assert!(wanted.len() > 100, "{wanted:?}");
    assert_eq!(page.get("all((it) => it.tag === 'article').map((it) => it.attributes.id).sort()"), json!(wanted));
    let count = wanted.len();
    assert_eq!(page.get("places.get('count').textContent"), format!("{count} of {count} operations"));
    assert_eq!(page.get("places.get('index').textContent.includes('Reveals a value')"), true);
    assert_eq!(page.get("scrolledTo"), "revealSecretValue");

    // Details are made when they are opened, those within them too.
    page.run("for (const place of places.values()) for (const it of place.all()) if (it.tag === 'details') it.fire('toggle')");
    let text = page.get("document.getElementById('revealSecretValue').textContent");
    let text = text.as_str().expect("a text");
    for part in ["/v1/secrets/{region}/secret/value", "kmsKeyVersion", "If-None-Match", "304", "getSecretValue"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let curl =
        "curl -sS -X POST \"$STRONGROOM_ADDR/v1/secrets/$STRONGROOM_REGION/secret/value?path=/app/production/db\"";
    assert!(text.contains(curl), "{text}");
    page.run("for (const it of document.getElementById('listRegions').all()) it.fire('click')");
    let copied = page.get("copied");
    assert!(copied.as_str().is_some_and(|it| it.starts_with("curl -sS \"$STRONGROOM_ADDR/v1/regions\"")), "{copied}");
}

#[tokio::test]
async fn the_page_finds_operations() {
    let page = Page::open("https://host.example/vault/docs/page.js", "", 200).await;
    assert_eq!(page.get("asked"), json!(["https://host.example/vault/openapi.json"]), "below a mount");
    let shown = "all((it) => it.tag === 'article' && !it.hidden).map((it) => it.attributes.id)";
    let search = |text: &str| {
        page.run(&format!("places.get('search').value = {}; places.get('search').fire('input')", json!(text)));
        page.get(shown)
    };
    assert_eq!(search("  REVEALS several "), json!(["revealSecretValues"]));
    let of_how_many = page.operations().count();
    assert_eq!(page.get("places.get('count').textContent"), format!("1 of {of_how_many} operations"));
    assert_eq!(search("no such words"), json!([]));
    assert_eq!(search("").as_array().map(Vec::len), Some(of_how_many));
}

#[tokio::test]
async fn a_document_that_can_not_be_had_is_told() {
    let page = Page::open("https://vault.example/docs/page.js", "", 503).await;
    let told = page.get("all((it) => it.attributes.role === 'alert').map((it) => it.textContent)");
    assert_eq!(told, json!(["openapi.json could not be shown: the server answered 503."]));
}
