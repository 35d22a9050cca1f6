#!/bin/sh
# One node of Apache Kafka that knows its clients: TLS, SCRAM users, access control lists. The
# users are made when the data directory is new; what each may do is granted afterwards, by
# `python -m nastavnik_common.kafka_rights`. Later changes of a password: docs/operations.md.
#
# From the environment: KAFKA_CLUSTER_ID, KAFKA_ADMIN_PASSWORD, and the password of every user in
# KAFKA_USERS as KAFKA_<USER>_PASSWORD, of letters, digits, `-` and `_`.
set -eu
umask 077

home=${KAFKA_HOME:-/opt/kafka}
data=${KAFKA_DATA:-/var/lib/kafka/data}
certificates=${KAFKA_CERTIFICATES:-/certificates}
host=${KAFKA_HOST:-kafka}
port=${KAFKA_PORT:-9092}
outside_port=${KAFKA_OUTSIDE_PORT:-29092}
controller_port=${KAFKA_CONTROLLER_PORT:-9093}

properties=$(mktemp -d)/server.properties
cat >"$properties" <<END
process.roles=broker,controller
node.id=1
log.dirs=$data
controller.quorum.bootstrap.servers=127.0.0.1:$controller_port

# Containers reach it as $host:$port, tools on this machine as 127.0.0.1:$outside_port.
listeners=CLIENTS://:$port,OUTSIDE://:$outside_port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=CLIENTS://$host:$port,OUTSIDE://127.0.0.1:$outside_port
listener.security.protocol.map=CLIENTS:SASL_SSL,OUTSIDE:SASL_SSL,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER

ssl.keystore.type=PEM
ssl.keystore.location=$certificates/kafka.pem
ssl.truststore.type=PEM
ssl.truststore.location=$certificates/ca.pem

sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.clients.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required \
username="admin" password="$KAFKA_ADMIN_PASSWORD";
listener.name.outside.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.controller.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required \
username="admin" password="$KAFKA_ADMIN_PASSWORD" user_admin="$KAFKA_ADMIN_PASSWORD";

# Whoever has no right by a list has none.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin

# Topics are made by kafka_rights, compacted; a typo must not make another.
auto.create.topics.enable=false
# One node holds one copy of everything.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
END

if [ ! -e "$data/meta.properties" ]; then
    set -- --add-scram "SCRAM-SHA-512=[name=admin,password=$KAFKA_ADMIN_PASSWORD]"
    for user in ${KAFKA_USERS:-registry activity metrics reader}; do
        variable=KAFKA_$(printf %s "$user" | tr '[:lower:]' '[:upper:]')_PASSWORD
        eval "password=\${$variable:?}"
        set -- "$@" --add-scram "SCRAM-SHA-512=[name=$user,password=$password]"
    done
    "$home/bin/kafka-storage.sh" format --standalone \
        --cluster-id "$KAFKA_CLUSTER_ID" --config "$properties" "$@"
fi
exec "$home/bin/kafka-server-start.sh" "$properties"
