/** The pages' words in Japanese. */
import { html, strong } from '../html.ts';
import type { Messages } from './en.ts';
import { JA_ACCOUNT } from './ja-account.ts';
import { JA_ERRORS } from './ja-errors.ts';

/** Japanese. */
export const JA: Messages = {
  locale: 'ja',
  language: '日本語',
  frame: {
    switchLanguage: '言語',
    links: 'ヘルプと規約',
    support: 'お問い合わせ',
    terms: '利用規約',
    privacy: 'プライバシーポリシー',
  },
  common: {
    workspace: 'ワークスペース',
    organization: '組織',
    client: 'クライアント',
    cancel: 'キャンセル',
    switchAccount: '別のアカウントでログイン',
    closePage: 'このページは閉じてかまいません。',
  },
  signIn: {
    title: 'ログイン',
    destination: (name) => html`${strong(name)} に移動します`,
    continueWith: (connector) => `${connector} で続行`,
    or: 'または',
    withPassword: (connector) => `${connector} でログイン`,
    username: 'ユーザー名',
    password: 'パスワード',
    submit: 'ログイン',
    wrongPassword:
      'ユーザー名またはパスワードが正しくありません。両方を確認して、もう一度お試しください。',
  },
  confirm: {
    title: (destination) => `${destination} にログインしますか？`,
    warning: 'たった今ご自身で開始した場合にのみ続行してください。',
    as: 'アカウント',
    answer: '応答の送信先',
    onComputer: 'このコンピューター',
    onDevice: 'コードが表示されているデバイス',
    onWebsite: 'ウェブサイト',
    allow: '許可',
  },
  refusal: {
    notMember: 'このワークスペースのメンバーではありません',
    notMemberOf: (person, workspace, organization) =>
      html`${strong(person)} さんは、${strong(organization)} の ${strong(workspace)} にログインできません。`,
    askAdministrator:
      'ワークスペースの管理者に追加を依頼するか、別のアカウントでログインしてください。',
    closed: (closure) =>
      closure === 'suspended'
        ? 'このワークスペースは停止されています'
        : 'このワークスペースは削除処理中です',
    closedUntil: (closure, workspace, organization) =>
      html`${strong(organization)} の ${strong(workspace)} には、組織のユーザーが${
        closure === 'suspended' ? '再開する' : '復元する'
      }まで誰もログインできません。`,
    notAdmitted: 'このアカウントではログインできません',
    admission: {
      email_unverified:
        'ログインするには、確認済みのメールアドレスが必要です。ID プロバイダーでメールアドレスを確認してからやり直すか、別のアカウントでログインしてください。',
      email_domain:
        '許可されたドメインのメールアドレスをお持ちの方だけがログインできます。会社のアカウントなど、別のアカウントでログインしてください。',
      not_invited:
        '招待された方だけがログインできます。ワークスペースの管理者に追加を依頼するか、別のアカウントでログインしてください。',
    },
    suspended: 'このアカウントは停止されています',
    askOperator:
      'ログインできません。理由をプラットフォームの管理者に問い合わせるか、別のアカウントでログインしてください。',
  },
  device: {
    title: 'デバイスの接続',
    label: 'デバイスまたはターミナルに表示されたコード',
    submit: '次へ',
    warning:
      'たった今ご自身で要求したコードだけを入力してください。他の人から送られたコードは入力しないでください。',
    checkTitle: 'コードは一致していますか？',
    mustShow: 'デバイスまたはターミナルに、次のコードが表示されている必要があります。',
    checkWarning:
      '他の人から送られたコードやリンクの場合は拒否してください。その人があなたとしてログインできてしまいます。',
    askedFrom: '要求元',
    matches: '一致しています',
    refuse: '一致しない、または要求していません',
    done: 'ログインしました',
    goBack: 'デバイスまたはターミナルに戻ってください。',
    problems: {
      NoCodeError: 'コードを入力してください。',
      NotFoundError:
        'コードが見つかりません。コードを確認するか、デバイスで新しいコードを取得してください。',
      ExpiredError: 'コードの有効期限が切れています。デバイスで新しいコードを取得してください。',
      AlreadyUsedError: 'このコードは使用済みです。デバイスで新しいコードを取得してください。',
      AbortedError: 'ログインを拒否しました。デバイスには何も送信されません。',
      SessionNotFound: '時間がかかりすぎました。コードをもう一度入力してください。',
      other: '処理できませんでした。デバイスで新しいコードを取得して、最初からやり直してください。',
    },
  },
  signOut: {
    title: 'ログアウトしますか？',
    text: 'このブラウザーでのセッションを終了します。ログイン済みのターミナルは、そのログインの有効期限が切れるまで引き続き使用できます。',
    everywhere: 'ログイン中の場所を確認、またはすべての場所からログアウト',
    submit: 'ログアウト',
    stay: 'ログインしたままにする',
    done: 'ログアウトしました',
  },
  account: JA_ACCOUNT,
  error: JA_ERRORS,
};
