using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Holdfast.Files.Selection;

namespace Holdfast.Files.Tests.Selection;

/// Goal: rules decide as git does.
/// Method: a random tree; many random lists of patterns, written where git looks for them; git's list of ignored
/// paths must be that of a walk with our rules.
public sealed class GitEquivalenceTests : IDisposable
{
    private const int Rounds = 150;
    private static readonly string[] Names =
    [
        "a", "b", "ab", "abc", "a.c", "A", ".a", "a b", "b ", "é", "[a]", "a-", "!a", "#a",
    ];

    private static readonly string[] Pieces =
    [
        "a", "b", "ab", "c", ".", "*", "*", "?", "[ab]", "[!a]", "[a-c]", "[^[:alpha:]]", "[]a-]",
        "\\*", "\\a", " ", "é", "\\ ", "-",
    ];

    private readonly string root = Directory.CreateTempSubdirectory("holdfast-git-").FullName;
    private readonly List<(string Path, bool IsDirectory)> entries = [];

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void RulesDecideAsGitDoes(int seed, bool ignoreCase)
    {
        Assert.SkipUnless(HasGit(), "git is not installed");
        var random = new Random(seed);
        Grow(random, "", 0);
        for (int round = 0; round < Rounds; round++)
        {
            byte[] file = Encoding.UTF8.GetBytes(CreateList(random));
            File.WriteAllBytes(Path.Combine(root, ".git/info/exclude"), file);
            SortedSet<string> expected = AskGit(ignoreCase);
            SortedSet<string> actual = AskRules(new PathRules(PathRulesReader.Read(file, "exclude", ignoreCase)));
            Assert.True(
                expected.SetEquals(actual),
                $"seed {seed}, round {round}:\n{Encoding.UTF8.GetString(file)}"
                + $"only git: {string.Join(", ", expected.Except(actual))}\n"
                + $"only rules: {string.Join(", ", actual.Except(expected))}");
        }
    }

    private static string CreateList(Random random)
    {
        var list = new StringBuilder();
        for (int line = random.Next(1, 6); line > 0; line--)
        {
            var components = new List<string>();
            for (int count = random.Next(1, 4); count > 0; count--) components.Add(CreateComponent(random));
            if (random.Next(4) == 0) list.Append('!');
            if (random.Next(4) == 0) list.Append('/');
            list.AppendJoin('/', components);
            if (random.Next(4) == 0) list.Append('/');
            list.Append(random.Next(8) == 0 ? "  " : "").Append(random.Next(8) == 0 ? "\r\n" : "\n");
        }

        return list.ToString();
    }

    private static string CreateComponent(Random random)
    {
        if (random.Next(5) == 0) return "**";
        while (true)
        {
            var text = new StringBuilder();
            for (int count = random.Next(1, 4); count > 0; count--) text.Append(Pieces[random.Next(Pieces.Length)]);

            // Not compared: names that cannot be, and a double star inside a name, where git departs from its manual
            // ("foo**/x" crosses directories because the plain part in front is cut off before the rest is looked at).
            string component = text.ToString();
            if (component.TrimEnd(' ') is not ("" or "." or "..") && !component.Contains("**")) return component;
        }
    }

    private void Grow(Random random, string directory, int depth)
    {
        if (depth == 0) Run("init", "-q", ".");
        foreach (string name in Names)
        {
            if (random.Next(3) == 0) continue;
            string path = directory + name;
            bool isDirectory = depth < 3 && random.Next(depth + 2) == 0;
            entries.Add((path, isDirectory));
            if (!isDirectory)
            {
                File.WriteAllBytes(Path.Combine(root, path), []);
                continue;
            }

            Directory.CreateDirectory(Path.Combine(root, path));
            Grow(random, path + "/", depth + 1);
        }
    }

    private SortedSet<string> AskRules(PathRules rules)
    {
        var excluded = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((string path, bool isDirectory) in entries)
        {
            bool parentExcluded = path.Contains('/') && excluded.Contains(path[..path.LastIndexOf('/')]);
            if (parentExcluded || rules.IsExcluded(Encoding.UTF8.GetBytes(path), isDirectory)) excluded.Add(path);
        }

        return excluded;
    }

    private SortedSet<string> AskGit(bool ignoreCase)
    {
        string setting = $"core.ignorecase={(ignoreCase ? "true" : "false")}";
        using Process git = Start("-c", setting, "check-ignore", "--no-index", "-z", "--stdin");
        byte[] input = Encoding.UTF8.GetBytes(string.Concat(entries.Select(entry => entry.Path + "\0")));
        Task<string> output = git.StandardOutput.ReadToEndAsync();
        git.StandardInput.BaseStream.Write(input);
        git.StandardInput.Close();
        string[] paths = output.Result.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.True(git.ExitCode is 0 or 1, $"git ended with {git.ExitCode}");
        return new SortedSet<string>(paths, StringComparer.Ordinal);
    }

    private void Run(params string[] arguments)
    {
        using Process git = Start(arguments);
        git.StandardInput.Close();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["XDG_CONFIG_HOME"] = root;
        start.Environment["GIT_CEILING_DIRECTORIES"] = Path.GetDirectoryName(root);
        start.Environment.Remove("GIT_DIR");
        start.Environment.Remove("GIT_WORK_TREE");
        return Process.Start(start)!;
    }

    private static bool HasGit()
    {
        try
        {
            var start = new ProcessStartInfo("git", "--version") { RedirectStandardOutput = true };
            using Process git = Process.Start(start)!;
            git.WaitForExit();
            return git.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
