use super::*;
use crate::sim::profile::Phase;
use crate::sim::selector::Selector;

const MINUTE: Duration = Duration::from_mins(1);

fn profile(namespace: &str) -> BTreeMap<String, Profile> {
    let profile = Profile {
        arn: String::new(),
        created_at: DateTime::UNIX_EPOCH,
        role_arn: String::new(),
        subnets: vec![],
        selectors: vec![Selector {
            namespace: namespace.to_owned(),
            labels: [("k8s-app".to_owned(), "kube-*".to_owned())].into(),
        }],
        tags: BTreeMap::new(),
        origin: None,
        active_since: Duration::ZERO,
        phase: Phase::Active,
    };
    BTreeMap::from([("fp-a".to_owned(), profile)])
}

struct Place {
    host: Host,
    profiles: BTreeMap<String, Profile>,
    nodes: Vec<String>,
}

impl Place {
    fn empty() -> Self {
        Self {
            host: Host::new(1.0),
            profiles: BTreeMap::new(),
            nodes: vec![],
        }
    }

    fn at(&self, minutes: u32) -> Ground<'_> {
        Ground {
            now: MINUTE * minutes,
            host: &self.host,
            region: "eu-central-1",
            profiles: &self.profiles,
            nodes: &self.nodes,
        }
    }
}

fn object(compute_type: &str) -> Value {
    json!({
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "spec": {
            "replicas": 2,
            "template": {
                "metadata": {
                    "labels": {"k8s-app": "kube-dns"},
                    "annotations": {COMPUTE_TYPE: compute_type},
                },
                "spec": {"containers": [{"name": "coredns"}]},
            },
        },
    })
}

#[test]
fn pods_that_are_older_than_their_profile_wait_until_they_are_made_anew() {
    let mut place = Place::empty();
    let mut workload = Workload::new(object("fargate"), &place.at(0));
    place.profiles = profile("kube-system");
    workload.settle(&place.at(60));
    assert!(!workload.runs(), "pods are bound once");
    let view = workload.view(&place.at(60));
    assert_eq!(
        view["status"]["conditions"][1]["reason"],
        "ProgressDeadlineExceeded"
    );

    let mut new = workload.object.clone();
    new["spec"]["template"]["metadata"]["annotations"]["restarted"] = json!("now");
    workload.change(new, &place.at(60));
    assert_eq!(workload.pods.len(), 2, "pods that wait go at once");
    workload.settle(&place.at(62));
    assert!(workload.runs());
    let nodes = workload.pods.iter().filter_map(Pod::fargate_node);
    assert!(
        nodes
            .clone()
            .all(|node| node.starts_with("fargate-ip-192-168-"))
    );
    assert_eq!(nodes.count(), 2);
}

#[test]
fn pods_that_serve_stay_until_the_new_ones_do() {
    let mut place = Place::empty();
    place.nodes = vec!["ip-1".to_owned()];
    let mut workload = Workload::new(object("ec2"), &place.at(0));
    workload.settle(&place.at(1));
    assert!(workload.runs());
    place.profiles = profile("kube-*");
    let mut new = workload.object.clone();
    new["spec"]["template"]["metadata"]["annotations"][COMPUTE_TYPE] = json!("fargate");
    workload.change(new.clone(), &place.at(2));
    let view = workload.view(&place.at(2));
    assert_eq!(view["metadata"]["generation"], 2);
    assert_eq!(view["status"]["observedGeneration"], 1);
    assert_eq!(view["status"]["replicas"], 4);
    assert_eq!(view["status"]["availableReplicas"], 2);
    workload.settle(&place.at(3));
    let view = workload.view(&place.at(3));
    assert_eq!(view["status"]["observedGeneration"], 2);
    assert_eq!(view["status"]["updatedReplicas"], 2);
    assert_eq!(view["status"]["replicas"], 2);
    workload.change(new, &place.at(4));
    assert_eq!(
        workload.view(&place.at(4))["metadata"]["generation"],
        2,
        "nothing has changed"
    );
}

#[test]
fn a_deleted_profile_takes_its_pods_along_and_nodes_theirs() {
    let mut place = Place::empty();
    place.profiles = profile("*");
    let mut workload = Workload::new(object("fargate"), &place.at(0));
    workload.settle(&place.at(1));
    assert!(workload.runs());
    place.profiles.clear();
    workload.settle(&place.at(2));
    assert!(!workload.runs());
    assert_eq!(workload.pods.len(), 2);
    place.nodes = vec!["ip-1".to_owned()];
    workload.settle(&place.at(3));
    assert!(workload.runs(), "pods without a profile run on nodes");
    let last = workload.pods[0].name.clone();
    assert!(workload.delete_pod(&last, &place.at(4)));
    assert_eq!(workload.pods.len(), 2);
    assert!(!workload.runs());
    place.nodes.clear();
    workload.settle(&place.at(5));
    assert!(!workload.pods.iter().any(Pod::is_ready));
}
