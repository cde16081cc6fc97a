using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Writing;

/// <summary>
/// The builders of one kind of pack, made as they are needed, up to a number. Who holds one open may wait for nothing that
/// needs another of the same pool. May be used from any thread.
/// </summary>
internal sealed class BuilderPool(int maxBuilders, Func<PackBuilder> make) : IDisposable
{
    private readonly Channel<PackBuilder> idle = Channel.CreateUnbounded<PackBuilder>();
    private readonly List<PackBuilder> all = [];
    private readonly Lock gate = new();

    /// <summary>An idle builder, or a new one; waits while there are as many as may be and all are in use.</summary>
    public async ValueTask<PackBuilder> TakeAsync(CancellationToken cancellationToken)
    {
        if (idle.Reader.TryRead(out PackBuilder? builder)) return builder;
        lock (gate)
        {
            if (all.Count < maxBuilders)
            {
                builder = make();
                all.Add(builder);
                return builder;
            }
        }

        try
        {
            return await idle.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed) when (closed.InnerException is { } reason)
        {
            ExceptionDispatchInfo.Throw(reason);
            throw;
        }
    }

    public void Return(PackBuilder builder) => idle.Writer.TryWrite(builder);

    /// <summary>Whoever waits from now on, or waits already, gets this error.</summary>
    public void Fail(Exception error) => idle.Writer.TryComplete(error);

    public void Dispose()
    {
        foreach (PackBuilder builder in all) builder.Dispose();
    }
}
