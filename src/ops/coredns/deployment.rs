//! `CoreDNS` as a Deployment, through the cluster's Kubernetes API.

use super::{CoreDns, MOVE, Moving, Reason, Standing, by_hand};
use crate::domain::ClusterView;
use crate::domain::cluster::coredns::RESTARTED_AT;
use crate::kubernetes::{COMPUTE_TYPE, Deployment, FARGATE, Kubernetes, KubernetesError, Rollout};
use crate::ops::cluster_api::{self, Next};
use crate::queue::{Verdict, Wait};

impl CoreDns<'_> {
    pub(super) async fn deployment(&self, moving: &Moving) -> Result<Standing, Verdict> {
        let context = self.context;
        let cluster = match self.context.clusters().cluster(context.cluster).await {
            Ok(Some(cluster)) => cluster,
            Ok(None) => {
                return Ok(self.stays("the cluster is gone".to_owned()));
            }
            Err(refusal) => {
                return self.refused(refusal, by_hand::annotation(context)).await;
            }
        };
        let kubernetes = match cluster_api::open(context, &cluster).await? {
            Ok(kubernetes) => kubernetes,
            Err(error) => return Ok(self.stays(error.to_string())),
        };
        match kubernetes.coredns().await {
            Ok(Some(seen)) => self.placed(&cluster, &kubernetes, &seen, moving).await,
            Ok(None) => Ok(Standing::Stays(Reason {
                why: "the cluster has neither the add-on coredns nor a Deployment coredns in \
                      namespace kube-system"
                    .to_owned(),
                by_hand: by_hand::install(context),
            })),
            Err(error) => self.trouble(&cluster, &error, moving),
        }
    }

    async fn placed(
        &self,
        cluster: &ClusterView,
        kubernetes: &Kubernetes,
        seen: &Deployment,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let compute_type = seen.pod_annotations.get(COMPUTE_TYPE);
        if compute_type.map(String::as_str) != Some(FARGATE) {
            return self.patch(cluster, kubernetes, seen, moving).await;
        }
        let marked = seen.pod_annotations.get(RESTARTED_AT);
        let restarted = moving.restart.is_none() || moving.restart.as_ref() == marked;
        match seen.rollout() {
            Rollout::Done if restarted => Ok(Standing::Done),
            // Nobody was asked for anything: how it fares is not this job's affair.
            _ if !moving.asked && !self.new_profile => Ok(Standing::Done),
            _ if !moving.asked || !restarted => {
                self.restart_pods(cluster, kubernetes, moving).await
            }
            Rollout::Done => Ok(Standing::Done),
            Rollout::Waiting(words) => self.rollout_later(moving, words),
            Rollout::Stuck(words) => Ok(Standing::Stays(Reason {
                why: format!("the cluster gave up on its new pods: {words}"),
                by_hand: by_hand::rollout(self.context),
            })),
        }
    }

    /// Makes the pods of the add-on anew, past the add-on; its health tells what comes of it.
    pub(super) async fn restart_deployment(&self, moving: &Moving) -> Result<Standing, Verdict> {
        let context = self.context;
        let why = |words: &str| {
            format!("its pods are older than the profile, and could not be made anew: {words}")
        };
        let stays = |words: &str| {
            Standing::Stays(Reason {
                why: why(words),
                by_hand: by_hand::restart(context),
            })
        };
        let cluster = match context.clusters().cluster(context.cluster).await {
            Ok(Some(cluster)) => cluster,
            Ok(None) => return Ok(stays("the cluster is gone")),
            Err(refusal) => return self.refused(refusal, by_hand::restart(context)).await,
        };
        let kubernetes = match cluster_api::open(context, &cluster).await? {
            Ok(kubernetes) => kubernetes,
            Err(error) => return Ok(stays(&error.to_string())),
        };
        match kubernetes.restart_coredns(&self.restart(moving)).await {
            Ok(()) => {
                let accepted = moving.clone().accepted();
                self.addon_later(&accepted, &MOVE, "getting new pods")
            }
            Err(error) => match self.trouble(&cluster, &error, moving)? {
                Standing::Stays(reason) => Ok(stays(&reason.why)),
                done @ Standing::Done => Ok(done),
            },
        }
    }

    /// Makes its pods anew.
    async fn restart_pods(
        &self,
        cluster: &ClusterView,
        kubernetes: &Kubernetes,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let restart = self.restart(moving);
        let asked = Moving {
            asked: true,
            restart: Some(restart.clone()),
            ..moving.clone()
        };
        self.note(&asked).await?;
        match kubernetes.restart_coredns(&restart).await {
            Ok(()) => self.rollout_later(&asked, "its new pods are not there yet".to_owned()),
            // It may have been applied.
            Err(error) => self.trouble(cluster, &error, &asked),
        }
    }

    /// Asks for the change, after noting so.
    async fn patch(
        &self,
        cluster: &ClusterView,
        kubernetes: &Kubernetes,
        seen: &Deployment,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let asked = Moving {
            asked: true,
            ..moving.clone()
        };
        self.note(&asked).await?;
        let patched = kubernetes.set_coredns_compute_type(seen, Some(FARGATE));
        match patched.await {
            Ok(_) => self.rollout_later(&asked, "its new pods are not there yet".to_owned()),
            // It may have been applied.
            Err(error) => self.trouble(cluster, &error, &asked),
        }
    }

    fn rollout_later(&self, moving: &Moving, words: String) -> Result<Standing, Verdict> {
        let by_hand = by_hand::rollout(self.context);
        self.later(moving, &MOVE, (Wait::Poll, words), by_hand)
    }

    /// An API that does not do what it is asked for: it may come round in a moment.
    fn trouble(
        &self,
        cluster: &ClusterView,
        error: &KubernetesError,
        moving: &Moving,
    ) -> Result<Standing, Verdict> {
        let keep = (moving.trouble, "read and patch the Deployment");
        match cluster_api::after(self.context, cluster, error, keep) {
            Next::Again(after, trouble) => {
                let moving = Moving {
                    trouble,
                    ..moving.clone()
                };
                Err(self.again(after, &moving, (Wait::Retry, error.to_string())))
            }
            Next::Never(why) => Ok(self.stays(why)),
        }
    }

    fn stays(&self, why: String) -> Standing {
        let by_hand = by_hand::annotation(self.context);
        Standing::Stays(Reason { why, by_hand })
    }
}
