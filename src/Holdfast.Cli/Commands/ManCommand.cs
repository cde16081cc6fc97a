using System.CommandLine;
using System.Text;
using Holdfast.Cli.Help;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>man</c> is asked for.</summary>
/// <param name="Directory">Where the pages go.</param>
internal sealed record ManOptions(string Directory);

/// <summary><c>holdfast man</c>: writes the manual pages, for <c>./dev install</c>.</summary>
internal static class ManCommand
{
    public static VerbCommand Create()
    {
        var directory = new Argument<string>("DIR") { Description = "where the pages go" };
        var verb = new VerbCommand("man", "write the manual pages")
        {
            Synopsis = "DIR",
            Needs = Needs.None,
            Examples = [new("holdfast man /usr/local/share/man/man1", "write holdfast.1, holdfast-backup.1 and so on")],
            Hidden = true,
        };
        return verb.With(directory).Does((parse, _) => new ManOptions(parse.One(directory)), RunAsync);
    }

    private static async Task<int> RunAsync(ManOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Directory);
        foreach ((string name, string page) in ManPage.All(context.Root))
        {
            string path = Path.Combine(options.Directory, name);
            await File.WriteAllTextAsync(path, page, new UTF8Encoding(false), cancellationToken).ConfigureAwait(false);
            context.Output.Detail(path);
        }

        return ExitCodes.Done;
    }
}
