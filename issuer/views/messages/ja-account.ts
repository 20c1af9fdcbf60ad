/** The words of the account pages in Japanese. */
import type { EN_ACCOUNT } from './en-account.ts';

/** Japanese. */
export const JA_ACCOUNT: typeof EN_ACCOUNT = {
  pages: 'アカウント',
  signedInAs: (name) => `${name} としてログイン中`,
  sessions: {
    title: 'ログイン中の場所',
    link: 'ログイン状況',
    browsers: 'ブラウザー',
    programs: 'ターミナルとプログラム',
    noPrograms: 'ログイン中のターミナルやプログラムはありません。',
    thisBrowser: 'このブラウザー',
    on: (program, system) => `${program}（${system} 上）`,
    unknown: '名称不明のプログラム',
    device: 'デバイスコードによるログイン',
    address: 'アドレス',
    started: 'ログイン日時',
    lastUsed: '最終使用',
    end: '終了',
    endOf: (what) => `終了: ${what}`,
    signOut: 'このブラウザーからログアウト',
    everywhere: 'すべての場所からログアウト',
    everywhereText:
      '上記のすべて（このブラウザーを含む各ブラウザーと各ターミナル）を終了します。ターミナルがすでに持っているトークンは、クラスターで最長 2 分間受け入れられることがあります。',
  },
  methods: {
    title: 'ログイン方法',
    link: 'ログイン方法',
    yours: '登録済みのログイン方法',
    add: '別の方法を追加',
    addOf: (connector) => `${connector} を追加`,
    unlink: '削除',
    unlinkOf: (what) => `削除: ${what}`,
    unlinkEnds:
      'ログイン方法を削除すると、ほかのブラウザ、コマンドライン、プログラムでのログインはすべて終了します。このブラウザではログインしたままになります。',
    only: '削除する前に、別の方法を追加してください。',
    gone: 'このプラットフォームでは提供が終了しています。',
    fresh: '変更する前に、もう一度ログインを求められます。',
    taken: 'そのアカウントは別の人のものです',
    takenText: (connector) =>
      `${connector} のアカウントは、すでに別の人のログイン方法として登録されています。そのアカウントでログインして削除するか、別のアカウントを追加してください。`,
    back: 'ログイン方法に戻る',
  },
};
