/** The routes of articles. */
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute, DeskSection } from '../../web/desk/desk-route.ts';
import { respondAfter } from '../../web/desk/page.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { articleDeskPath } from '../article-link.ts';
import { ArticleConflictError, ArticleEditError } from '../edits/read-written.ts';
import { restoreArticle, retractArticle, undoArticleEdit } from '../edits/retract-article.ts';
import type { ArticleActor, ArticleOutcome } from '../edits/stored-article.ts';
import { respondArticle } from './article-page.ts';
import { respondText } from './body-frame.ts';
import { previewEdit, saveEdit, serveEditPage, showEditAgain, withArticle } from './edit-page.ts';
import { serveArticleList } from './list-page.ts';
import { previewNewBrief, saveNewBrief, serveNewBrief, showBriefAgain } from './new-page.ts';

const RETRACTED = 'Retracted. It leaves the feeds within seconds, and deliveries that carry it pause.';

export const articlesSection: DeskSection = {
  navigation: { id: 'articles', label: 'Articles', path: '/articles', needs: 'editions.read' },
  routes: [
    { method: 'GET', path: '/articles', needs: 'editions.read', handle: serveArticleList },
    // Not below `/articles`: an article may have the id `new`.
    { method: 'GET', path: '/briefs/new', needs: 'drafts.edit', handle: serveNewBrief },
    { method: 'POST', path: '/briefs/new', needs: 'drafts.edit', handle: saveNewBrief, again: showBriefAgain },
    { method: 'POST', path: '/briefs/new/preview', needs: 'drafts.edit', handle: previewNewBrief },
    {
      method: 'GET',
      path: '/articles/:id',
      needs: 'editions.read',
      handle: (request) => withArticle(request, (stored) => respondArticle(request, stored)),
    },
    {
      method: 'GET',
      path: '/articles/:id/text',
      needs: 'editions.read',
      handle: (request) => withArticle(request, ({ article }) => respondText(request, article)),
    },
    { method: 'GET', path: '/articles/:id/edit', needs: 'drafts.edit', handle: serveEditPage },
    { method: 'POST', path: '/articles/:id/edit', needs: 'drafts.edit', handle: saveEdit, again: showEditAgain },
    { method: 'POST', path: '/articles/:id/preview', needs: 'drafts.edit', handle: previewEdit },
    noteRoute('retract', RETRACTED, ({ desk, form }, id, actor) =>
      retractArticle(desk.app, id, form.get('note') ?? '', actor),
    ),
    noteRoute('restore', 'The retraction is taken back. Readers see it within seconds.', ({ desk, form }, id, actor) =>
      restoreArticle(desk.app, id, form.get('note') ?? '', actor),
    ),
    {
      method: 'POST',
      path: '/articles/:id/undo',
      needs: 'drafts.edit',
      handle: (request) =>
        withArticle(request, async ({ article: { id } }) => {
          const { desk, account, form } = request;
          const actor = { author: account.name, onCommit: request.audit('article.undo', id) };
          try {
            const outcome = await undoArticleEdit(desk.app, id, Number(form.get('number')), actor);
            const text = 'The change is taken back.';
            return respondAfter(request, articleDeskPath(id), { kind: 'done', text, ...undoOf(outcome) });
          } catch (error) {
            if (!(error instanceof ArticleEditError)) throw error;
            return respondAfter(request, articleDeskPath(id), { kind: 'problem', text: sentence(error) });
          }
        }),
    },
  ],
};

const CHANGED = 'The article has been changed since you opened it. Look at it, and send this again if it still holds.';

type NotedAct = (
  request: SignedInRequest,
  id: string,
  actor: ArticleActor & { seen: string },
) => Promise<ArticleOutcome>;

/** An act whose form has a note; what is wrong is said beside it. */
function noteRoute(form: 'retract' | 'restore', done: string, act: NotedAct): DeskRoute {
  return {
    method: 'POST',
    path: `/articles/:id/${form}`,
    needs: 'drafts.edit',
    handle: (request) =>
      withArticle(request, async (stored) => {
        const { id } = stored.article;
        const { account } = request;
        const seen = request.form.get('seen') ?? '';
        const actor = { author: account.name, seen, onCommit: request.audit(`article.${form}`, id) };
        try {
          const outcome = await act(request, id, actor);
          return respondAfter(request, articleDeskPath(id), { kind: 'done', text: done, ...undoOf(outcome) });
        } catch (error) {
          const note = request.form.get('note') ?? '';
          if (error instanceof ArticleConflictError) {
            const refused = { form, note, error: CHANGED, status: 409 as const };
            return withArticle(request, (now) => respondArticle(request, now, refused));
          }
          if (!(error instanceof ArticleEditError)) throw error;
          const message = sentence(error);
          return respondArticle(request, stored, { form, note, error: message, status: 422 });
        }
      }),
  };
}

function undoOf(outcome: ArticleOutcome) {
  if (outcome.kind === 'unchanged') return {};
  const { article, number } = outcome;
  return { undo: { action: `${articleDeskPath(article.id)}/undo`, fields: { number: String(number) } } };
}
