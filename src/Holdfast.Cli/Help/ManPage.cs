using System.CommandLine;
using System.Text;

namespace Holdfast.Cli.Help;

/// <summary>Manual pages (man(7) macros) made from the same tree as help, so that they cannot disagree.</summary>
internal static class ManPage
{
    private static readonly (string Code, string Says)[] ExitStatus =
    [
        ("0", "Done."),
        ("1", "Failed; a line on standard error says what and what to do."),
        ("2", "The command line or the configuration is wrong."),
        ("3", "Finished, but some items could not be read or written; each was named."),
        ("10", "There is no vault or store at the given place."),
        ("11", "Busy: somebody else holds it, who is named."),
        ("12", "The key is wrong or does not allow this."),
        ("13", "Damage was found; each damaged thing and what it affects was named."),
        ("14", "A verification found a difference."),
        ("15", "Refused by a policy."),
        ("16", "Done, but redundancy is degraded."),
        ("128+n", "Ended by signal n: 130 for Ctrl-C, 143 for SIGTERM."),
    ];

    private static readonly (string Name, string Says)[] Variables =
    [
        ("HOLDFAST_VAULT", "Where the vault is, unless -r says so."),
        ("HOLDFAST_PASSWORD_FILE", "A file that holds the password."),
        ("HOLDFAST_PASSWORD_COMMAND", "A shell command that prints the password."),
        ("HOLDFAST_PASSWORD", "The password itself. Other processes of the same user can see it: prefer a file or a command."),
        ("NO_COLOR", "Set to anything: no colours."),
        ("HOLDFAST_DEBUG", "Set to 1: an unexpected error shows where it happened."),
    ];

    /// <summary>All pages: file name and content.</summary>
    public static IEnumerable<(string FileName, string Page)> All(RootCommand root)
    {
        yield return ("holdfast.1", ForRoot(root));
        foreach (VerbCommand verb in root.Subcommands.OfType<VerbCommand>().Where(static each => !each.Hidden))
        {
            yield return (PageName(verb) + ".1", ForVerb(verb));
        }
    }

    private static string PageName(VerbCommand verb) => verb.Path.Replace(' ', '-');

    private static string ForRoot(RootCommand root)
    {
        Roff page = Begin("holdfast", root.Description ?? "");
        page.Macro("SH", "SYNOPSIS").Bold("holdfast").Plain(" COMMAND [options]").Break();
        page.Macro("SH", "DESCRIPTION");
        page.Paragraph(
            "Holdfast keeps directory trees in a vault: encrypted, compressed, and every piece of content stored once. Each " +
            "backup makes a restore point; each point can be restored by itself.");
        page.Macro("SH", "COMMANDS");
        foreach (VerbCommand verb in root.Subcommands.OfType<VerbCommand>().Where(static each => !each.Hidden))
        {
            page.Item($"\\fB{Roff.Escape(PageName(verb))}\\fR(1)", Sentence(verb.Description));
        }

        page.Macro("SH", "COMMON OPTIONS");
        page.Paragraph("They may stand before or behind the command.");
        WriteOptions(page, new CommonOptions().All);
        page.Macro("SH", "ENVIRONMENT");
        page.Paragraph("A flag goes before a variable. Two sources of one password are an error.");
        foreach ((string name, string says) in Variables) page.Item($"\\fB{Roff.Escape(name)}\\fR", says);
        WriteExitStatus(page);
        return page.ToString();
    }

    private static string ForVerb(VerbCommand verb)
    {
        Roff page = Begin(PageName(verb), verb.Description ?? "");
        page.Macro("SH", "SYNOPSIS");
        VerbCommand[] callable = verb.Runs ? [verb] : [.. verb.Subcommands.OfType<VerbCommand>()];
        for (int i = 0; i < callable.Length; i++)
        {
            if (i > 0) page.Macro("br");
            WriteSynopsis(page, callable[i]);
        }

        page.Macro("SH", "DESCRIPTION");
        page.Paragraph(Sentence(verb.Description));
        foreach (string paragraph in verb.Details) page.Paragraph(paragraph);
        if (verb.Aliases.Count > 0) page.Paragraph($"Also called {string.Join(", ", verb.Aliases)}.");
        WriteArguments(page, verb);
        foreach (VerbCommand part in verb.Subcommands.OfType<VerbCommand>())
        {
            page.Macro("SS", part.Path);
            page.Paragraph(Sentence(part.Description));
            foreach (string paragraph in part.Details) page.Paragraph(paragraph);
            foreach (Argument argument in part.Arguments) page.Item($"\\fI{Roff.Escape(argument.Name)}\\fR", Sentence(argument.Description));
            WriteOptions(page, [.. OptionRow.OwnOptions(part, new CommonOptions())]);
        }

        page.Macro("SH", "COMMON OPTIONS");
        WriteOptions(page, [.. new CommonOptions().GroupsFor(verb.Needs).SelectMany(static group => group.Options)]);
        if (verb.Examples.Count > 0)
        {
            page.Macro("SH", "EXAMPLES");
            foreach (Example example in verb.Examples) page.Item($"\\fB{Roff.Escape(example.Line)}\\fR", Sentence(example.Says));
        }

        WriteExitStatus(page);
        page.Macro("SH", "SEE ALSO").Bold("holdfast").Plain("(1)").Break();
        return page.ToString();
    }

    private static Roff Begin(string name, string description)
    {
        var page = new Roff();
        page.Macro("TH", name.ToUpperInvariant(), "1", "", $"Holdfast {HoldfastVersion.Text}", "Holdfast");
        page.Macro("nh");
        page.Macro("ad l");
        page.Macro("SH", "NAME").Plain(name + " \\- ", escape: false).Plain(description).Break();
        return page;
    }

    private static void WriteSynopsis(Roff page, VerbCommand verb) =>
        page.Bold(verb.Path).Plain($" {verb.Synopsis}".TrimEnd() + " [options]").Break();

    private static void WriteArguments(Roff page, VerbCommand verb)
    {
        if (verb.Runs && verb.Arguments.Count > 0)
        {
            page.Macro("SH", "ARGUMENTS");
            foreach (Argument argument in verb.Arguments) page.Item($"\\fI{Roff.Escape(argument.Name)}\\fR", Sentence(argument.Description));
        }

        Option[] own = [.. OptionRow.OwnOptions(verb, new CommonOptions())];
        if (own.Length == 0) return;
        page.Macro("SH", "OPTIONS");
        WriteOptions(page, own);
    }

    private static void WriteOptions(Roff page, IReadOnlyList<Option> options)
    {
        foreach (Option option in options)
        {
            string names = string.Join(", ", OptionRow.NamesOf(option).Select(static name => $"\\fB{Roff.Escape(name)}\\fR"));
            string value = option.HelpName is { } valueName ? $" \\fI{Roff.Escape(valueName)}\\fR" : "";
            page.Item(names + value, Sentence(option.Description));
        }
    }

    private static void WriteExitStatus(Roff page)
    {
        page.Macro("SH", "EXIT STATUS");
        foreach ((string code, string says) in ExitStatus) page.Item($"\\fB{Roff.Escape(code)}\\fR", says);
    }

    private static string Sentence(string? text) =>
        string.IsNullOrEmpty(text) ? "" : $"{char.ToUpperInvariant(text[0])}{text[1..]}{(text.EndsWith('.') ? "" : ".")}";

    /// <summary>Text in the language of man(7).</summary>
    private sealed class Roff
    {
        private readonly StringBuilder text = new();

        /// <summary>The text with what roff would take for its own made plain.</summary>
        public static string Escape(string text) => text
            .Replace("\\", "\\e", StringComparison.Ordinal)
            .Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("'", "\\(aq", StringComparison.Ordinal)
            .Replace("`", "\\(ga", StringComparison.Ordinal)
            .Replace("^", "\\(ha", StringComparison.Ordinal)
            .Replace("~", "\\(ti", StringComparison.Ordinal)
            .Replace("…", "...", StringComparison.Ordinal);

        public Roff Macro(string name, params ReadOnlySpan<string> arguments)
        {
            text.Append('.').Append(name);
            foreach (string argument in arguments)
            {
                text.Append(" \"").Append(Escape(argument).Replace("\"", "\\(dq", StringComparison.Ordinal)).Append('"');
            }

            text.Append('\n');
            return this;
        }

        public Roff Bold(string words)
        {
            text.Append("\\fB").Append(Escape(words)).Append("\\fR");
            return this;
        }

        public Roff Plain(string words, bool escape = true)
        {
            text.Append(escape ? Escape(words) : words);
            return this;
        }

        public void Break() => text.Append('\n');

        public void Paragraph(string words)
        {
            Macro("PP");

            // A line that begins with a dot would be a macro.
            text.Append("\\&").Append(Escape(words)).Append('\n');
        }

        /// <summary>A term, with its markup, and what it means.</summary>
        public void Item(string term, string says)
        {
            Macro("TP");
            text.Append(term).Append('\n').Append("\\&").Append(Escape(says)).Append('\n');
        }

        public override string ToString() => text.ToString();
    }
}
