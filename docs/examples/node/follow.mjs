// Follow Nastavnik's topics with kafkajs and the official CloudEvents SDK: all that was, then what
// happens, without a gap.
//
//     npm install --no-package-lock
//     node follow.mjs localhost:9092            until Ctrl-C
//     node follow.mjs localhost:9092 --once     the newest states as JSON lines, then end
//
// Every event carries the whole state and its version: keep the highest version of each aggregate,
// and a deleted one as a marker, and neither duplicates nor disorder matter.
import { randomUUID } from 'node:crypto';
import { Kafka as CloudEvents } from 'cloudevents';
import { Kafka, logLevel } from 'kafkajs';

const bootstrap = process.argv[2] ?? 'localhost:9092';
const once = process.argv.includes('--once');

// kafkajs gives header values as Buffers; the SDK wants text, and no more headers than it needs.
const toCloudEvent = ({ key, value, headers }) => {
  const texts = Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text.toString()]),
  );
  // a tombstone has no value, and the SDK's parser wants one
  return CloudEvents.toEvent({ key: key.toString(), value: value ?? 'null', headers: texts });
};

const latest = new Map(); // kind → id → {version, data}; data null: deleted

function apply(event) {
  const kind = event.type.split('.')[1];
  const version = Number(event.sequence);
  if (!latest.has(kind)) latest.set(kind, new Map());
  const kept = latest.get(kind);
  if ((kept.get(event.subject)?.version ?? 0) >= version) return false;
  kept.set(event.subject, { version, data: event.type.endsWith('.deleted.v1') ? null : event.data });
  return true;
}

const kafka = new Kafka({ clientId: 'example', brokers: [bootstrap], logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
const topics = (await admin.listTopics()).filter((name) => /^nastavnik\.[a-z-]+$/.test(name));
// where each partition ends now: what is below was there before we came
const behind = new Map();
for (const topic of topics)
  for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
    if (high !== low) behind.set(`${topic}/${partition}`, BigInt(high));

// a group of its own: nothing is committed, and the next start reads from the beginning again
const consumer = kafka.consumer({ groupId: `example-${randomUUID()}`, sessionTimeout: 10000 });
await consumer.connect();
await consumer.subscribe({ topics, fromBeginning: true });

let finish;
const finished = new Promise((resolve) => { finish = resolve; });
process.on('SIGINT', () => finish());
let live = false;

function reached(place, next) {
  if (behind.has(place) && next >= behind.get(place)) behind.delete(place);
  if (live || behind.size > 0) return;
  live = true;
  console.error('caught up');
  if (once) finish();
}

await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch, heartbeat }) => {
    for (const message of batch.messages) {
      const event = toCloudEvent(message);
      if (apply(event) && live) console.log(event.type, event.subject, event.sequence);
    }
    await heartbeat();
    reached(`${batch.topic}/${batch.partition}`, BigInt(batch.lastOffset()) + 1n);
  },
});
reached('', 0n); // nothing there at all
await finished;
await consumer.disconnect();
await admin.disconnect();

if (once)
  for (const [kind, kept] of latest)
    for (const [id, { version, data }] of kept)
      if (data !== null) console.log(JSON.stringify([kind, id, version]));
