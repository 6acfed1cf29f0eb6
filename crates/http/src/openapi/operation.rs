//! One operation of the document, put together from what differs from the others.

use super::answers::{self, Header};
use super::parameters;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON_LINES: &str = "application/x-ndjson";
/// What every operation can answer.
const ALWAYS: [u16; 3] = [400, 431, 500];
/// What every operation can answer that takes a body.
const OF_BODY: [u16; 3] = [408, 413, 415];

/// Schemas by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// One operation: as it stands in the document, and what it brings for other parts of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    /// Method and template, as in the route table.
    #[serde(skip)]
    pub(super) route: &'static str,
    #[serde(skip)]
    pub(super) schemas: Schemas,
    tags: Vec<&'static str>,
    pub(super) operation_id: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<Value>,
    pub(super) responses: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<Value>,
}

impl Operation {
    /// `route`: method and template, as in the route table. `summary`: what it does, in a few words.
    pub(super) fn new(route: &'static str, operation_id: &'static str, summary: &'static str) -> Self {
        let operation = Self {
            route,
            schemas: Schemas::new(),
            tags: Vec::new(),
            operation_id,
            summary,
            description: "",
            parameters: parameters::of_path(route),
            request_body: None,
            responses: BTreeMap::new(),
            security: None,
        };
        let operation = operation.refuses(&ALWAYS);
        if route.contains("{id}") { operation.refuses(&[404]) } else { operation }
    }

    /// The area that it belongs to.
    pub(super) fn tagged(self, area: &'static str) -> Self {
        Self { tags: vec![area], ..self }
    }

    /// What is to be known beside the summary, in Markdown.
    pub(super) fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// It needs no credentials.
    pub(super) fn open(self) -> Self {
        Self { security: Some(json!([])), ..self }
    }

    /// It needs credentials, and nothing else.
    pub(super) fn known(self) -> Self {
        self.refuses(&[401, 403, 429, 503])
    }

    /// It needs an operator token.
    pub(super) fn operator(self) -> Self {
        Self { security: Some(json!([{"bearer": []}])), ..self.known() }
    }

    /// It acts in an organisation.
    pub(super) fn organisation(self) -> Self {
        self.known().parameter(parameters::shared("Organisation"))
    }

    /// It acts in an organisation, and in a project where one is named.
    pub(super) fn project(self) -> Self {
        let operation = self.organisation().refuses(&[404]);
        operation.parameter(parameters::shared("ProjectHeader")).parameter(parameters::shared("ProjectQuery"))
    }

    /// It is the token endpoint, which has its own credentials and refusals.
    pub(super) fn client(mut self) -> Self {
        self.schemas_of::<strongroom_api::TokenErrorBody>();
        self.responses =
            [400, 401, 408, 413, 429, 500, 503].map(|status| (status.to_string(), answers::oauth(status))).into();
        Self { security: Some(json!([{}, {"basic": []}])), ..self }.refuses(&[431])
    }

    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(super) fn parameters(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// It answers with these statuses too, as every operation does that has them.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.responses.insert(status.to_string(), answers::reference(*status));
        }
        self
    }

    /// It takes a JSON body.
    pub(super) fn takes<T: ToSchema>(self, example: Value) -> Self {
        self.body::<T>(&[JSON], true, example)
    }

    /// It takes a JSON body that may be left out.
    pub(super) fn may_take<T: ToSchema>(self, example: Value) -> Self {
        self.body::<T>(&[JSON], false, example)
    }

    /// It takes a merge patch.
    pub(super) fn takes_patch<T: ToSchema>(self, example: Value) -> Self {
        self.body::<T>(&[JSON, MERGE_PATCH], true, example)
    }

    /// It takes a form.
    pub(super) fn takes_form(mut self, schema: Value, example: Value) -> Self {
        self.request_body = Some(json!({"required": true, "content": {FORM: {"schema": schema, "example": example}}}));
        self
    }

    /// It reads a body only to refuse what is none.
    pub(super) fn takes_nothing(self) -> Self {
        self.refuses(&OF_BODY)
    }

    fn body<T: ToSchema>(mut self, media: &[&str], required: bool, example: Value) -> Self {
        let schema = self.schema_of::<T>();
        let content = json!({"schema": schema, "example": example});
        let content: BTreeMap<&str, &Value> = media.iter().map(|media| (*media, &content)).collect();
        self.request_body = Some(json!({"required": required, "content": content}));
        self.refuses(&OF_BODY)
    }

    /// It answers with this, as JSON.
    pub(super) fn gives<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let schema = self.schema_of::<T>();
        self.answer(status, description, JSON, &schema)
    }

    /// It answers 200 with a list of these.
    pub(super) fn gives_list<T: ToSchema>(mut self, description: &str) -> Self {
        let items = self.schema_of::<T>();
        self.answer(200, description, JSON, &json!({"type": "array", "items": items}))
    }

    /// It answers 200 with one of two shapes.
    pub(super) fn gives_either<T: ToSchema, E: ToSchema>(mut self, description: &str) -> Self {
        let (one, items) = (self.schema_of::<T>(), self.schema_of::<E>());
        let schema = json!({"oneOf": [one, {"type": "array", "items": items}]});
        self.answer(200, description, JSON, &schema)
    }

    /// It answers 200 with one of these on each line.
    pub(super) fn gives_lines<T: ToSchema>(mut self, description: &str) -> Self {
        let line = self.schema_of::<T>();
        let schema = json!({"type": "string", "contentMediaType": JSON_LINES, "x-line": line});
        self.answer(200, description, JSON_LINES, &schema)
    }

    /// It answers 200 with a text of this type.
    pub(super) fn gives_text(self, description: &str, media: &str) -> Self {
        self.answer(200, description, media, &json!({"type": "string"}))
    }

    /// It answers with a body of this schema.
    pub(super) fn answer(mut self, status: u16, description: &str, media: &str, schema: &Value) -> Self {
        let answer = json!({
            "description": description,
            "headers": {"X-Request-Id": answers::header(Header::RequestId)},
            "content": {media: {"schema": schema}},
        });
        self.responses.insert(status.to_string(), answer);
        self
    }

    /// It answers without a body.
    pub(super) fn gives_nothing(mut self, status: u16, description: &str) -> Self {
        let headers = json!({"X-Request-Id": answers::header(Header::RequestId)});
        self.responses.insert(status.to_string(), json!({"description": description, "headers": headers}));
        self
    }

    /// What it answers with this status, as an example.
    pub(super) fn example(mut self, status: u16, example: Value) -> Self {
        if let Some(content) = self.responses.get_mut(&status.to_string()).and_then(|it| it.pointer_mut("/content")) {
            for media in content.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
                media["example"] = example.clone();
            }
        }
        self
    }

    /// Its answer of this status has these headers.
    pub(super) fn with(mut self, status: u16, headers: &[Header]) -> Self {
        if let Some(answer) = self.responses.get_mut(&status.to_string()) {
            for header in headers {
                answer["headers"][header.name()] = answers::header(*header);
            }
        }
        self
    }

    fn schemas_of<T: ToSchema>(&mut self) {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
    }

    fn schema_of<T: ToSchema>(&mut self) -> Value {
        self.schemas_of::<T>();
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }
}
