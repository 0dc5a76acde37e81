// The prepared operations. Each says what is sent: its query, and, once it is
// run, variables that fit what is there now.

import { mintToken } from './clerk.js';
import { send } from './graphql.js';

const documentsPage = `query Documents($after: String) {
  organization {
    documents(first: 5, after: $after) {
      nodes {
        id title version
        author { name role }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

const newestDocument = '{ organization { documents(first: 1) { nodes { id title version } } } }';

const updateDocument = `mutation Update(
  $input: UpdateDocumentInput!
) {
  updateDocument(input: $input) {
    document { id title version updatedAt }
  }
}`;

const clock = () => new Date().toLocaleTimeString('en-GB');

/** Reads the newest document with a token. Undefined where none is to be seen. */
async function newestWith(token) {
  const answer = await send({ query: newestDocument, token });
  return answer.body?.data?.organization?.documents?.nodes?.[0];
}

/** Reads an organization's newest document as somebody who may. */
async function newestOf({ slug, reader }) {
  const minted = await mintToken(reader, slug);
  return newestWith(minted.token);
}

/**
 * A document to change, and a note where somebody else had to look it up: who
 * sees none shall still be refused by the server, not by this page.
 */
async function documentToChange({ session, directory, token }) {
  const own = await newestWith(await token());
  if (own) return { document: own };
  const slug = session.organization || directory.membershipsOf(session.person)[0]?.organization || 'acme';
  const reader = directory.somebodyWith('org:documents:read', slug);
  const document = reader && (await newestOf({ slug, reader }));
  if (!document) return {};
  return {
    document,
    note: `${directory.nameOf(session.person)} sees no document, so the id comes from ${directory.nameOf(reader)}, who reads ${directory.organizationName(slug)}’s.`,
  };
}

const nothingThere = 'There is no document here. Create one first.';

/** Where the last page of documents ended, by organization. */
const pages = new Map();

/** Notes where a page of documents ended, so that the next one can follow. */
export function observe({ organization, body }) {
  const page = body?.data?.organization?.documents?.pageInfo;
  if (page) pages.set(organization, page);
}

/**
 * The operations by group. prepare is given { session, directory, token } and
 * returns what run wants to know: query, variables, and note, forged or
 * problem where there is one.
 */
export const groups = [
  {
    title: 'Read',
    operations: [
      {
        id: 'viewer',
        title: 'Who am I',
        prepare: () => ({
          query: `{
  viewer {
    user { id name }
    organization { id name slug }
    membership { role }
    permissions
  }
}`,
        }),
      },
      {
        id: 'members',
        title: 'Members',
        prepare: () => ({
          query: `{
  organization {
    name
    members(first: 10) {
      nodes { name email role joinedAt }
      totalCount
    }
  }
}`,
        }),
      },
      {
        id: 'first-page',
        title: 'First page',
        prepare: () => ({ query: documentsPage, variables: { after: null } }),
      },
      {
        id: 'next-page',
        title: 'Next page',
        async prepare({ session, token }) {
          let page = pages.get(session.organization);
          if (!page) {
            const first = await send({ query: documentsPage, token: await token() });
            page = first.body?.data?.organization?.documents?.pageInfo;
          }
          if (!page) return { query: documentsPage, variables: { after: null } };
          if (page.hasNextPage) return { query: documentsPage, variables: { after: page.endCursor } };
          return {
            query: documentsPage,
            variables: { after: null },
            note: 'The page before was the last one, so this is the first again.',
          };
        },
      },
    ],
  },
  {
    title: 'Change',
    operations: [
      {
        id: 'create',
        title: 'Create a document',
        prepare: ({ session, directory }) => ({
          query: `mutation Create(
  $input: CreateDocumentInput!
) {
  createDocument(input: $input) {
    document {
      id title content version
      author { name }
    }
    documentEdge { cursor }
  }
}`,
          variables: {
            input: { title: `Written at ${clock()}`, content: `By ${directory.nameOf(session.person)}, from the page.` },
          },
        }),
      },
      {
        id: 'update',
        title: 'Update it',
        async prepare(context) {
          const { document, note } = await documentToChange(context);
          if (!document) return { query: updateDocument, problem: nothingThere };
          const input = { id: document.id, expectedVersion: document.version, title: `Updated at ${clock()}` };
          return { query: updateDocument, variables: { input }, note };
        },
      },
      {
        id: 'late',
        title: 'Update it too late',
        async prepare(context) {
          const { document, note } = await documentToChange(context);
          if (!document) return { query: updateDocument, problem: nothingThere };
          const input = { id: document.id, expectedVersion: document.version, title: `Updated at ${clock()}` };
          const earlier = await send({ query: updateDocument, variables: { input }, token: await context.token() });
          const changed = earlier.body?.data?.updateDocument?.document;
          return {
            query: updateDocument,
            variables: { input: { ...input, title: `Updated too late at ${clock()}` } },
            note: changed
              ? `After it was read at version ${document.version}, and before this was sent, the page changed it once.`
              : note,
          };
        },
      },
      {
        id: 'delete',
        title: 'Delete it',
        async prepare(context) {
          const query = `mutation Delete($id: ID!) {
  deleteDocument(input: {id: $id}) {
    deletedDocumentId
  }
}`;
          const { document, note } = await documentToChange(context);
          if (!document) return { query, problem: nothingThere };
          return { query, variables: { id: document.id }, note: note ?? `This is “${document.title}”, the newest.` };
        },
      },
    ],
  },
  {
    title: 'Reach across',
    operations: [
      {
        id: 'foreign',
        title: 'Someone else’s document',
        async prepare({ session, directory }) {
          const query = `query Foreign($id: ID!) {
  document(id: $id) { id title content }
  viewer { organization { name } }
}`;
          const other = directory.anotherOrganization(session.organization);
          const document = other && (await newestOf(other));
          if (!document) return { query, problem: 'No other organization has a document to reach for.' };
          const [reader, name] = [directory.nameOf(other.reader), directory.organizationName(other.slug)];
          return {
            query,
            variables: { id: document.id },
            note: `${name} has this document: ${reader} reads it there as “${document.title}”. From here it is null, just like an id that never existed.`,
          };
        },
      },
      {
        id: 'forged',
        title: 'With a forged token',
        prepare: ({ session }) => ({
          query: '{ viewer { user { name } permissions } }',
          forged: true,
          note: session.person
            ? 'One character was added to the signature of a good token.'
            : 'Nobody has a token to change, so the word “forged” was sent for one.',
        }),
      },
    ],
  },
];

/** All operations by id. */
export const operations = new Map(groups.flatMap((group) => group.operations.map((operation) => [operation.id, operation])));
