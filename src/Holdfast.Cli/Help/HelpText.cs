using System.CommandLine;
using System.Text;
using Holdfast.Cli.Output;

namespace Holdfast.Cli.Help;

/// <summary>The help of a command for people at a terminal.</summary>
internal static class HelpText
{
    private const int MostColumns = 100;
    private const int LeastColumns = 40;
    private const int WidestTitle = 35;

    /// <summary>The whole text, ending in a line feed.</summary>
    public static string For(Command command, RootCommand root, int columns)
    {
        var page = new Page(Math.Clamp(columns, LeastColumns, MostColumns));
        if (command is VerbCommand verb) WriteVerb(page, verb);
        else WriteRoot(page, root);
        return page.ToString();
    }

    private static void WriteRoot(Page page, RootCommand root)
    {
        page.Line($"holdfast: {root.Description}");
        page.Blank();
        page.Line("  holdfast COMMAND [options]");
        page.Section("Commands");
        page.Rows(root.Subcommands.Where(static each => !each.Hidden).Select(static each => (each.Name, each.Description ?? "")));
        page.Section("First steps");
        page.Rows(
        [
            ("export HOLDFAST_VAULT=/backup/vault", "where the vault is"),
            ("holdfast init", "make it; asks for a new password"),
            ("holdfast backup ~/Documents", "make a restore point"),
            ("holdfast points", "list restore points"),
            ("holdfast restore latest --to /tmp/there", "get it all back"),
        ]);
        page.Section("More");
        page.Rows(
        [
            ("holdfast help COMMAND", "flags and examples of a command"),
            ("man holdfast", "all of it, with exit codes and variables"),
        ]);
    }

    private static void WriteVerb(Page page, VerbCommand verb)
    {
        page.Line($"{verb.Path}: {verb.Description}");
        page.Blank();
        page.Line($"  {verb.Path} {verb.Synopsis}".TrimEnd() + (verb.Runs ? " [options]" : ""));
        if (verb.Aliases.Count > 0) page.Line($"  also: {string.Join(", ", verb.Aliases)}");
        foreach (string paragraph in verb.Details)
        {
            page.Blank();
            page.Paragraph(paragraph);
        }

        if (verb.Subcommands.Any())
        {
            page.Section("Commands");
            page.Rows(verb.Subcommands.Select(static each => (each.Name, each.Description ?? "")));
        }

        WriteFlags(page, verb);
        if (verb.Examples.Count == 0) return;
        page.Section("Examples");
        foreach (Example example in verb.Examples)
        {
            page.Line("  " + example.Line);
            page.Line("      " + example.Says);
        }
    }

    private static void WriteFlags(Page page, VerbCommand verb)
    {
        if (!verb.Runs) return;
        var common = new CommonOptions();
        var groups = new List<(string Title, (string Title, string Says)[] Rows)>
        {
            ("Arguments", [.. verb.Arguments.Select(static each => (each.Name, each.Description ?? ""))]),
            ("Options", RowsOf(OptionRow.OwnOptions(verb, common))),
        };
        groups.AddRange(common.GroupsFor(verb.Needs).Select(static group => (group.Title, RowsOf(group.Options))));
        int width = page.WidthFor(groups.SelectMany(static group => group.Rows));
        foreach ((string title, (string Title, string Says)[] rows) in groups.Where(static group => group.Rows.Length > 0))
        {
            page.Section(title);
            page.Rows(rows, width);
        }
    }

    private static (string Title, string Says)[] RowsOf(IEnumerable<Option> options) =>
        [.. options.Select(static each => (OptionRow.TitleOf(each), each.Description ?? ""))];

    /// <summary>Lines within a width.</summary>
    private sealed class Page(int columns)
    {
        private readonly StringBuilder text = new();

        public void Line(string line) => text.Append(line).Append('\n');

        public void Blank() => text.Append('\n');

        public void Section(string title)
        {
            Blank();
            Line(title + ":");
        }

        public void Paragraph(string paragraph) => Wrap(paragraph, 0);

        public int WidthFor(IEnumerable<(string Title, string Says)> rows) =>
            Math.Min(Math.Min(WidestTitle, columns / 2), rows.Max(static row => TerminalText.WidthOf(row.Title))) + 4;

        public void Rows(IEnumerable<(string Title, string Says)> rows, int? givenWidth = null)
        {
            (string Title, string Says)[] all = [.. rows];
            int width = givenWidth ?? WidthFor(all);
            foreach ((string title, string says) in all)
            {
                string start = "  " + title;
                if (start.Length + 2 > width)
                {
                    Line(start);
                    text.Append(' ', width);
                }
                else
                {
                    text.Append(start.PadRight(width));
                }

                Wrap(says, width);
            }
        }

        public override string ToString() => text.ToString();

        // Begins where the line stands; further lines are indented to the same column.
        private void Wrap(string paragraph, int indent)
        {
            int column = indent;
            foreach (string word in paragraph.Split(' '))
            {
                if (column > indent && column + 1 + word.Length > columns)
                {
                    text.Append('\n').Append(' ', indent);
                    column = indent;
                }

                if (column > indent)
                {
                    text.Append(' ');
                    column++;
                }

                text.Append(word);
                column += word.Length;
            }

            text.Append('\n');
        }
    }
}
