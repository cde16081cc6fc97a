using System.Text;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>
/// Where holdfast keeps what it knows on this machine: what a key compares with that cannot read the vault's trees (docs/formats/state.md), and known
/// hashes (docs/formats/checkpoint.md).
/// </summary>
internal sealed class StatePlace
{
    private const string Name = "holdfast";

    private static ReadOnlySpan<byte> NameBytes => "holdfast"u8;

    private readonly string directory;
    private readonly Host host;

    private StatePlace(string directory, Host host)
    {
        this.directory = directory;
        this.host = host;
    }

    /// <summary>The place that the environment names; null where it names none.</summary>
    public static StatePlace? Find(CommandContext context)
    {
        // XDG Base Directory Specification: a path that is not absolute is to be ignored.
        if (context.Environment("XDG_STATE_HOME") is ['/', ..] state) return new StatePlace($"{state.TrimEnd('/')}/{Name}", context.Host);
        return context.Environment("HOME") is ['/', ..] home ? new StatePlace($"{home.TrimEnd('/')}/.local/state/{Name}", context.Host) : null;
    }

    /// <summary>Absolute path of a directory there.</summary>
    public string PathOf(string name) => $"{directory}/{name}";

    /// <summary>Opens a store there by its name.</summary>
    public IObjectStore Open(string name) => ObjectStores.Open($"{StoreAddress.FileScheme}:{PathOf(name)}", host);

    /// <summary>Whether a directory of a name is this place.</summary>
    public async ValueTask<bool> IsAtAsync(ReadOnlyMemory<byte> name, DirectoryIdentity identity) =>
        name.Span.SequenceEqual(NameBytes) && await VaultPlace.IdentifyAsync(Encoding.UTF8.GetBytes(directory)).ConfigureAwait(false) == identity;
}
