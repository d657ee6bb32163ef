//! The kinds of the contract, typed: ConfigMap, and Widget as in ../../../loader/crd.json.
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::ConfigMap,
    apimachinery::pkg::{apis::meta::v1::Condition, util::intstr::IntOrString},
};
use kube::{CustomResource, Resource, api::ObjectMeta};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};

pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize + Send + Sync + 'static
{
    fn seq(&self) -> String;
    fn child(metadata: ObjectMeta, seq: String) -> Self;
}

impl Kind for ConfigMap {
    fn seq(&self) -> String {
        self.data.as_ref().and_then(|d| d.get("seq")).cloned().unwrap_or_default()
    }

    fn child(metadata: ObjectMeta, seq: String) -> Self {
        ConfigMap { metadata, data: Some(BTreeMap::from([("seq".to_string(), seq)])), ..ConfigMap::default() }
    }
}

#[derive(CustomResource, Clone, Debug, Default, Deserialize, Serialize)]
#[kube(
    group = "bench.example.com",
    version = "v1",
    kind = "Widget",
    plural = "widgets",
    namespaced,
    status = "WidgetStatus",
    schema = "disabled"
)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<Env>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Strategy {
    pub r#type: String,
    pub max_surge: Option<IntOrString>,
    pub max_unavailable: Option<IntOrString>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Port {
    pub name: String,
    pub port: i32,
    pub protocol: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Env {
    pub name: String,
    pub value: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Resources {
    pub limits: BTreeMap<String, IntOrString>,
    pub requests: BTreeMap<String, IntOrString>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WidgetStatus {
    pub observed_generation: i64,
    pub ready_replicas: i32,
    pub phase: Option<String>,
    pub conditions: Vec<Condition>,
}

impl Kind for Widget {
    fn seq(&self) -> String {
        self.spec.seq.clone().unwrap_or_default()
    }

    fn child(metadata: ObjectMeta, seq: String) -> Self {
        Widget { metadata, spec: WidgetSpec { seq: Some(seq), ..WidgetSpec::default() }, status: None }
    }
}
